"""What the enhanced call view has to show, pinned here and nowhere read from an application.

The 112 fields of a RetellAI phone call: every leaf of the SDK's PhoneCallResponse (retell-sdk 6.1.0 to 6.2.12), where
objects are expanded, and a list of numbers, a free map and each of the six tool-call transcripts are one field.
Four tiers, each shown on top of the one before: what an operator needs at a glance (13), the whole story of a call
(19 more), its figures (55 more), and the raw record (25 more). A call's `access_token` is a credential and no field.
"""

from __future__ import annotations

from dataclasses import dataclass

SECRET_FIELD = "access_token"  # noqa: S105 - its name, not its value


@dataclass(frozen=True, slots=True)
class ExpectedField:
    """One field: its path in the call, `[]` for the items of a list, and the tier it is first seen in."""

    path: str
    tier: int


def slug(path: str) -> str:
    """Return the path as a name for a test: no brackets, no dots."""
    return path.replace("[]", "").replace(".", "-")


_TIER_1 = [
    "call_id",
    "call_status",
    "direction",
    "from_number",
    "to_number",
    "agent_name",
    "start_timestamp",
    "duration_ms",
    "disconnection_reason",
    "call_analysis.call_successful",
    "call_analysis.user_sentiment",
    "call_analysis.call_summary",
    "call_cost.combined_cost",
]

_TIER_2 = [
    "call_type",
    "agent_id",
    "agent_version",
    "agent_tag",
    "end_timestamp",
    "call_analysis.in_voicemail",
    "call_analysis.custom_analysis_data",
    "transcript",
    "recording_url",
    "transfer_destination",
    "transfer_end_timestamp",
    "collected_dynamic_variables",
    "retell_llm_dynamic_variables",
    "metadata",
    "latency.e2e.p50",
    "latency.e2e.p95",
    "call_cost.total_duration_seconds",
    "transcript_object[].role",
    "transcript_object[].content",
]

_TIER_3 = [
    "call_cost.product_costs[].cost",
    "call_cost.product_costs[].product",
    "call_cost.product_costs[].is_transfer_leg_cost",
    "call_cost.product_costs[].unit_price",
    "call_cost.total_duration_unit_price",
    "latency.asr.max",
    "latency.asr.min",
    "latency.asr.num",
    "latency.asr.p50",
    "latency.asr.p90",
    "latency.asr.p95",
    "latency.asr.p99",
    "latency.e2e.max",
    "latency.e2e.min",
    "latency.e2e.num",
    "latency.e2e.p90",
    "latency.e2e.p99",
    "latency.knowledge_base.max",
    "latency.knowledge_base.min",
    "latency.knowledge_base.num",
    "latency.knowledge_base.p50",
    "latency.knowledge_base.p90",
    "latency.knowledge_base.p95",
    "latency.knowledge_base.p99",
    "latency.llm.max",
    "latency.llm.min",
    "latency.llm.num",
    "latency.llm.p50",
    "latency.llm.p90",
    "latency.llm.p95",
    "latency.llm.p99",
    "latency.llm_websocket_network_rtt.max",
    "latency.llm_websocket_network_rtt.min",
    "latency.llm_websocket_network_rtt.num",
    "latency.llm_websocket_network_rtt.p50",
    "latency.llm_websocket_network_rtt.p90",
    "latency.llm_websocket_network_rtt.p95",
    "latency.llm_websocket_network_rtt.p99",
    "latency.s2s.max",
    "latency.s2s.min",
    "latency.s2s.num",
    "latency.s2s.p50",
    "latency.s2s.p90",
    "latency.s2s.p95",
    "latency.s2s.p99",
    "latency.tts.max",
    "latency.tts.min",
    "latency.tts.num",
    "latency.tts.p50",
    "latency.tts.p90",
    "latency.tts.p95",
    "latency.tts.p99",
    "llm_token_usage.average",
    "llm_token_usage.num_requests",
    "transcript_with_tool_calls[]",
]

_TIER_4 = [
    "custom_sip_headers",
    "data_storage_setting",
    "knowledge_base_retrieved_contents_url",
    "latency.asr.values[]",
    "latency.e2e.values[]",
    "latency.knowledge_base.values[]",
    "latency.llm.values[]",
    "latency.llm_websocket_network_rtt.values[]",
    "latency.s2s.values[]",
    "latency.tts.values[]",
    "llm_token_usage.values[]",
    "opt_in_signed_url",
    "post_session_transcript_with_tool_calls[]",
    "pre_session_transcript_with_tool_calls[]",
    "public_log_url",
    "recording_multi_channel_url",
    "scrubbed_post_session_transcript_with_tool_calls[]",
    "scrubbed_pre_session_transcript_with_tool_calls[]",
    "scrubbed_recording_multi_channel_url",
    "scrubbed_recording_url",
    "scrubbed_transcript_with_tool_calls[]",
    "telephony_identifier.twilio_call_sid",
    "transcript_object[].words[].end",
    "transcript_object[].words[].start",
    "transcript_object[].words[].word",
]

TIERS: dict[int, tuple[str, ...]] = {
    1: tuple(_TIER_1),
    2: tuple(_TIER_2),
    3: tuple(_TIER_3),
    4: tuple(_TIER_4),
}
FIELDS: tuple[ExpectedField, ...] = tuple(ExpectedField(path, tier) for tier, paths in TIERS.items() for path in paths)

# What the health command tells: the brief's five metrics.
METRICS = ("compiled_views", "permissions", "disk_used_percent", "opcache_hit_rate", "recent_errors")
