"""What people call the steps and states: sentences of the catalogue."""

from yuntu_push.domain.push import PushState, StepName
from yuntu_push.domain.text import Text, msg

STEP_LABELS = {
    StepName.UPLOAD: msg("upload"),
    StepName.CREATE_DATA_SOURCE: msg("create_data_source"),
    StepName.UPDATE_DATA_SOURCE: msg("update_data_source"),
    StepName.PARSE: msg("parse"),
    StepName.SHARE: msg("share"),
    StepName.PUBLISH: msg("publish"),
    StepName.ACTIVATE: msg("activate"),
    StepName.COPY: msg("copy"),
    StepName.VERIFY: msg("verify"),
}
STATE_LABELS = {
    PushState.PENDING: msg("pending"),
    PushState.RUNNING: msg("running"),
    PushState.WAITING: msg("waiting"),
    PushState.SUCCEEDED: msg("succeeded"),
    PushState.PARTIAL: msg("partial"),
    PushState.FAILED: msg("failed"),
    PushState.CANCELLED: msg("cancelled"),
    PushState.SUPERSEDED: msg("superseded"),
    PushState.NEEDS_OPERATOR: msg("needs_operator"),
    PushState.STALLED: msg("stalled"),
}


def step_label(step: StepName) -> Text:
    """The step's name for people."""
    return STEP_LABELS[step]


def state_label(state: PushState) -> Text:
    """The state's name for people."""
    return STATE_LABELS[state]
