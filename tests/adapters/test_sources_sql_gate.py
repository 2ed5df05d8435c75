"""The gate before a database: hostile statements are refused, ordinary ones pass."""

import pytest

from yuntu_push.adapters.sources.sql_gate import check
from yuntu_push.domain.errors import SourceError

_DIALECTS = ("postgresql", "mysql", "sqlite", "duckdb", "clickhouse", "doris", "starrocks")

HOSTILE = """
insert into t values (1)
update t set a = 1
delete from t
drop table t
truncate table t
alter table t add b int
create table x as select * from t
create temporary table x (a int)
create index i on t (a)
create view v as select 1
create function f() returns int as 'select 1' language sql
grant all on t to public
revoke all on t from public
select 1; drop table t
select 1; select 2
select * into x from t
with gone as (delete from t returning *) select * from gone
with n as (insert into t values (1) returning a) select * from n
with u as (update t set a = 2 returning a) select * from u
select * from (delete from t returning *) q
select a from t for update
select a from t for share
set session characteristics as transaction read write
set transaction read write
begin
commit
rollback
lock table t
call proc()
do $$ begin perform 1; end $$
copy t to '/tmp/x'
copy t from '/tmp/x'
copy (select 1) to program 'sh'
vacuum
analyze t
explain analyze delete from t
prepare p as delete from t
execute p
declare c cursor for select 1
listen x
notify x
select pg_sleep(10)
select pg_terminate_backend(1)
select pg_read_file('/etc/passwd')
select lo_export(1, '/tmp/x')
select lo_import('/etc/passwd')
select * from dblink('host=x', 'select 1') as t(a int)
select dblink_exec('host=x', 'delete from t')
select nextval('s')
select setval('s', 1)
select set_config('x', 'y', false)
select pg_advisory_lock(1)
select query_to_xml('delete from t', true, true, '')
select 1 /*! into outfile '/tmp/x' */
select 1 /*!50000 , sleep(9) */
select 1 /*M! into outfile '/tmp/x' */
select load_file('/etc/passwd')
select sleep(10)
select benchmark(100000000, md5('x'))
select get_lock('a', 10)
select sys_exec('id')
load data infile '/x' into table t
handler t open
show tables
describe t
use other
kill 1
attach 'x.db' as x
detach x
pragma journal_mode = delete
select load_extension('x')
select writefile('x', 'y')
select * from url('http://x', CSV)
select * from s3('http://x')
select * from file('/etc/passwd')
select * from remote('h', db.t)
select * from read_csv('/etc/passwd')
select * from read_text('/etc/passwd')
install httpfs
load httpfs
not sql at all
;
""".strip().splitlines()

ORDINARY = (
    """
select mobile from members
select mobile from members;
select distinct mobile from members where city = '上海'
select m.mobile, o.paid from members m join orders o on o.member = m.id
select m.mobile from members m left join orders o on o.member = m.id where o.id is null
select mobile from members where joined >= '2026-01-01' and joined < '2026-02-01'
select mobile from members where joined >= :since
select mobile from members where city in ('上海', '北京')
select mobile from members where mobile like '13%'
select mobile from members where mobile is not null and mobile <> ''
select mobile, count(*) as n from orders group by mobile having count(*) > 3
select mobile from members order by joined desc limit 100
select mobile from members limit 10 offset 20
with vip as (select id from orders) select mobile from members join vip using (id)
with a as (select 1 as x), b as (select x from a) select x from b
select mobile from members union select mobile from guests
select mobile from members union all select mobile from guests
select mobile from members intersect select mobile from guests
select mobile from members except select mobile from guests
select mobile from members where id in (select member from orders)
select mobile from members m where exists (select 1 from orders o where o.member = m.id)
select case when level > 3 then mobile end as mobile from members
select coalesce(mobile, phone) as mobile from members
select trim(mobile) as mobile from members
select replace(mobile, ' ', '') as mobile from members
select substring(mobile, 1, 11) as mobile from members
select upper(idfa) as idfa from devices
select lower(oaid) as oaid from devices
select concat('86', mobile) as mobile from members
select cast(mobile as char(11)) as mobile from members
select row_number() over (partition by mobile order by joined) as n, mobile from members
select sum(paid) over (partition by member) as s, mobile from orders
select max(joined) as last_seen, mobile from members group by mobile
select mobile from crm.members
select "mobile" from "members"
select mobile -- the number
from members
select mobile /* the number */ from members
select a.mobile from members a, guests b where a.id = b.id
select mobile from members where not (level < 3 or level is null)
select mobile from members where joined between '2026-01-01' and '2026-12-31'
select 'delete from members' as text, mobile from members
select mobile from members where note = 'drop; table'
select 1 as one
""".strip()
    .replace("number\nfrom", "number from")
    .splitlines()
)


# ClickHouse wants ALL or DISTINCT after UNION.
_OWN_SYNTAX = {("clickhouse", "select mobile from members union select mobile from guests")}


@pytest.mark.parametrize("dialect", _DIALECTS)
def test_hostile_statements_are_refused(dialect: str) -> None:
    passed = []
    for sql in HOSTILE:
        try:
            check(sql, dialect)
        except SourceError:
            continue
        passed.append(sql)
    assert len(HOSTILE) >= 60
    assert passed == []


@pytest.mark.parametrize("dialect", _DIALECTS)
def test_ordinary_queries_pass(dialect: str) -> None:
    refused = []
    for sql in ORDINARY:
        if (dialect, sql) in _OWN_SYNTAX:
            continue
        try:
            check(sql.replace("-- the number from", "-- the number\nfrom"), dialect)
        except SourceError as exc:
            refused.append((sql, str(exc)))
    assert len(ORDINARY) >= 40
    assert refused == []
