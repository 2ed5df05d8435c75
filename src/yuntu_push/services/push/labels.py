"""What people call the steps and states: sentences of the catalogue."""

from yuntu_push.domain.push import BrandState, PushState, StepName, TargetState
from yuntu_push.domain.text import Text, msg, term

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
    PushState.PENDING: term("push", "pending"),
    PushState.RUNNING: term("push", "running"),
    PushState.WAITING: term("push", "waiting"),
    PushState.SUCCEEDED: term("push", "succeeded"),
    PushState.PARTIAL: term("push", "partial"),
    PushState.FAILED: term("push", "failed"),
    PushState.CANCELLED: term("push", "cancelled"),
    PushState.SUPERSEDED: term("push", "superseded"),
    PushState.NEEDS_OPERATOR: term("push", "needs_operator"),
    PushState.STALLED: term("push", "stalled"),
}
BRAND_LABELS = {
    BrandState.PENDING: term("brand", "pending"),
    BrandState.SUBMITTED: term("brand", "submitted"),
    BrandState.CONFIRMED: term("brand", "confirmed"),
    BrandState.FAILED: term("brand", "failed"),
    BrandState.NEEDS_OPERATOR: term("brand", "needs_operator"),
    BrandState.NOT_DUE: term("brand", "not_due"),
}
TARGET_LABELS = {
    TargetState.PENDING: term("target", "pending"),
    TargetState.SHARED: term("target", "shared"),
    TargetState.FAILED: term("target", "failed"),
}


def step_label(step: StepName) -> Text:
    """The step's name for people."""
    return STEP_LABELS[step]


def state_label(state: PushState) -> Text:
    """The state's name for people."""
    return STATE_LABELS[state]


def brand_label(state: BrandState) -> Text:
    """The state of the copy into a brand, for people."""
    return BRAND_LABELS[state]


def target_label(state: TargetState) -> Text:
    """The state of the share with a target, for people."""
    return TARGET_LABELS[state]
