"""The app's manifest, made from the one table of what the listeners hear and the sender calls."""

from tools.contract import Json

# What is listened to, and the scope that Slack wants for it.
CHANNELS, GROUPS = ("channels:read",), ("groups:read",)
EVENTS: dict[str, tuple[str, ...]] = {
    "app_home_opened": (),
    "app_mention": ("app_mentions:read",),
    "app_uninstalled": (),
    "channel_archive": CHANNELS,
    "channel_deleted": CHANNELS,
    "channel_left": CHANNELS,
    "channel_rename": CHANNELS,
    "channel_shared": CHANNELS,
    "channel_unarchive": CHANNELS,
    "group_archive": GROUPS,
    "group_deleted": GROUPS,
    "group_left": GROUPS,
    "group_rename": GROUPS,
    "group_unarchive": GROUPS,
    "member_joined_channel": (*CHANNELS, *GROUPS),
    "member_left_channel": (*CHANNELS, *GROUPS),
    "message.channels": ("channels:history",),
    "message.groups": ("groups:history",),
    "message.im": ("im:history",),
    "pin_added": ("pins:read",),
    "pin_removed": ("pins:read",),
    "tokens_revoked": (),
    "user_change": ("users:read",),
}
# What is called, and the scope for it.
METHODS: dict[str, tuple[str, ...]] = {
    "assistant.threads.setStatus": ("assistant:write",),
    "assistant.threads.setSuggestedPrompts": ("assistant:write",),
    "auth.test": (),
    "chat.appendStream": ("chat:write",),
    "chat.postEphemeral": ("chat:write",),
    "chat.postMessage": ("chat:write",),
    "chat.startStream": ("chat:write",),
    "chat.stopStream": ("chat:write",),
    "chat.update": ("chat:write",),
    "conversations.history": ("channels:history", "groups:history"),
    "conversations.info": (*CHANNELS, *GROUPS),
    "conversations.members": (*CHANNELS, *GROUPS),
    "conversations.open": ("im:write",),
    "conversations.replies": ("channels:history", "groups:history", "im:history"),
    "files.completeUploadExternal": ("files:write",),
    "files.getUploadURLExternal": ("files:write",),
    "pins.list": ("pins:read",),
    "reactions.add": ("reactions:write",),
    "reactions.remove": ("reactions:write",),
    "users.info": ("users:read",),
    "views.open": (),
    "views.publish": (),
    "views.update": (),
}
PROMPTS = ("What can you do?", "Is everything healthy?", "What changed today?")  # until we know who asks
COMMAND, SHORTCUT = "/sayso", "sayso_ask"


def scopes() -> list[str]:
    """The bot's scopes: no more than what is used."""
    used = {scope for wanted in (*EVENTS.values(), *METHODS.values()) for scope in wanted}
    return sorted(used | {"commands"})


def manifest(*, socket: bool, url: str = "https://sayso.example.com/slack/events") -> dict[str, Json]:
    """What https://api.slack.com/apps?new_app=1 takes under "From a manifest"; `url` is where HTTP mode listens."""
    command: dict[str, Json] = {
        "command": COMMAND,
        "description": "Ask sayso",
        "usage_hint": "why is checkout slow?",
    }
    events: dict[str, Json] = {"bot_events": sorted(EVENTS)}
    interactivity: dict[str, Json] = {"is_enabled": True}
    if not socket:
        command["url"] = events["request_url"] = interactivity["request_url"] = url
    return {
        "display_information": {
            "name": "sayso",
            "description": "Answers with evidence; changes nothing before somebody approved it",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "agent_view": {
                "agent_description": "Ask about your systems in plain words; changes wait for somebody's approval",
                "suggested_prompts": [{"title": title, "message": title} for title in PROMPTS],
            },
            "bot_user": {"display_name": "sayso", "always_online": True},
            "slash_commands": [command],
            "shortcuts": [
                {
                    "name": "Ask sayso about this",
                    "type": "message",
                    "callback_id": SHORTCUT,
                    "description": "Asks sayso what it knows about a message",
                }
            ],
        },
        "oauth_config": {"scopes": {"bot": list(scopes())}},
        "settings": {
            "event_subscriptions": events,
            "interactivity": interactivity,
            "org_deploy_enabled": False,
            "socket_mode_enabled": socket,
            "token_rotation_enabled": False,
        },
    }
