"""What the browser is shown at the end of a login: fixed bytes, nothing of the request in them."""

import base64
import hashlib

_STYLE = (
    "body{font:16px/1.7 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1rem;"
    "color:#1f2329}h1{font-size:1.6rem}code{background:#f2f3f5;padding:.15rem .4rem;"
    "border-radius:4px}p.en{color:#646a73}"
    "@media(prefers-color-scheme:dark){body{background:#1a1a1a;color:#ebebeb}"
    "code{background:#333}p.en{color:#a6a6a6}}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

_POLICY = (
    f"Content-Security-Policy: default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

SECURITY_HEADERS = (
    "Cache-Control: no-store",
    "Referrer-Policy: no-referrer",
    _POLICY,
    "X-Content-Type-Options: nosniff",
    "X-Frame-Options: DENY",
    "Connection: close",
)


def _page(title: str, *paragraphs: str) -> bytes:
    body = "".join(paragraphs)
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head>"
        f"<body><h1>{title}</h1>{body}</body></html>"
    ).encode()


SUCCEEDED = _page(
    "授权成功",
    '<p><code>{"msg":"成功","code":0}</code></p>',
    "<p>可以关闭本页,回到终端继续。</p>",
    '<p class="en">Authorised. You can close this page and go back to the terminal.</p>',
)
FAILED = _page(
    "授权未完成",
    "<p>没有保存任何授权。请回到终端查看原因,然后重新运行 <code>yuntu-push auth login</code>。</p>",
    '<p class="en">Nothing was stored. The terminal says why; then log in again.</p>',
)
FOREIGN = _page(
    "这不是当前授权的回调",
    "<p>链接已过期,或不是由终端里正在运行的命令打开的。请使用终端中显示的授权链接,"
    "或重新运行 <code>yuntu-push auth login</code>。</p>",
    '<p class="en">This answer belongs to another login. Use the link that the terminal shows.</p>',
)
NOT_HERE = _page("没有这个页面", '<p class="en">There is nothing here.</p>')
