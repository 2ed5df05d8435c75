"""The steps of a push, by their stored names."""

from collections.abc import Callable, Mapping

from yuntu_push.domain.push import StepName
from yuntu_push.services.push.copying import copy, verify
from yuntu_push.services.push.outcomes import Outcome
from yuntu_push.services.push.parsing import parse
from yuntu_push.services.push.publishing import activate, publish
from yuntu_push.services.push.sharing import share
from yuntu_push.services.push.sourcing import create_data_source, update_data_source
from yuntu_push.services.push.uploading import upload
from yuntu_push.services.push.view import View

Step = Callable[[View], Outcome]

STEPS: Mapping[StepName, Step] = {
    StepName.UPLOAD: upload,
    StepName.CREATE_DATA_SOURCE: create_data_source,
    StepName.UPDATE_DATA_SOURCE: update_data_source,
    StepName.PARSE: parse,
    StepName.SHARE: share,
    StepName.PUBLISH: publish,
    StepName.ACTIVATE: activate,
    StepName.COPY: copy,
    StepName.VERIFY: verify,
}
