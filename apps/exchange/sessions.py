"""Who is asking: credentials, tokens, scopes, and what a token may be used for."""

import hmac
from base64 import b64decode
from binascii import Error as NotBase64
from hashlib import sha256
from secrets import token_urlsafe

from attrs import define, field, frozen

from apps.exchange.rpc import Fields, RpcError

_ACCESS = ("account", "block_rfq", "block_trade", "trade", "wallet")
_LEVELS = ("none", "read", "read_write")
USUAL_ACCESS = "account:read trade:read_write wallet:read"
_MOST_SESSIONS = 16  # named ones per key
_REFRESHABLE_S = 86_400.0  # a session can be renewed so long after it has expired


@frozen(kw_only=True)
class Credentials:
    """
    The one key of the exchange.

    *access* is the most that its tokens may do, in the words of a scope: what a token asks for
    beyond it is not granted. The usual key trades and reads; it cannot move coin out.
    """

    client_id: str
    client_secret: str = field(repr=False)
    access: str = USUAL_ACCESS

    def matches(self, client_id: str, client_secret: str) -> bool:
        """Whether it is this key."""
        is_name = hmac.compare_digest(client_id.encode(), self.client_id.encode())
        return hmac.compare_digest(client_secret.encode(), self.client_secret.encode()) and is_name

    def signed(self, text: str) -> str:
        """The signature of *text*: hexadecimal HMAC-SHA256."""
        return hmac.new(self.client_secret.encode(), text.encode(), sha256).hexdigest()

    def has_signed(self, client_id: str, text: str, signature: str) -> bool:
        """Whether *signature* of *text* is by this key."""
        given = signature.lower().encode()
        # Deribit's own examples disagree about a line end behind the last line
        ways = (self.signed(text), self.signed(f"{text}\n"))
        is_same = any(hmac.compare_digest(way.encode(), given) for way in ways)
        return is_same and client_id == self.client_id


@frozen(kw_only=True)
class Session:
    """
    What a token stands for.

    *connection* is the number of the websocket it dies with, None for a token that lives on;
    *levels* say which access it has.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    name: str | None
    connection: int | None
    levels: dict[str, str]
    expires_at_s: float
    lifetime_s: int

    @property
    def scope(self) -> str:
        """The scope as it is told to the client."""
        access = [f"{area}:{level}" for area, level in self.levels.items() if level != "none"]
        own = "connection" if self.name is None else f"session:{self.name}"
        return " ".join([*access, own, "mainaccount"])

    def allows(self, scope: str) -> bool:
        """Whether *scope*, such as trade:read, is within."""
        area, level = scope.split(":")
        return _LEVELS.index(self.levels.get(area, "none")) >= _LEVELS.index(level)

    def told(self) -> Fields:
        """The answer to public/auth."""
        return {
            "access_token": self.access_token,
            "enabled_features": [],
            "expires_in": self.lifetime_s,
            "refresh_token": self.refresh_token,
            "scope": self.scope,
            "token_type": "bearer",
        }


def invalid_credentials() -> RpcError:
    """Wrong key, or a signature that is not by it."""
    return RpcError(13004, "invalid_credentials")


def unauthorized(reason: str) -> RpcError:
    """A token that is no good, or not here."""
    return RpcError(13009, "unauthorized", {"reason": reason})


@define(eq=False, kw_only=True)
class Sessions:
    """The tokens that are alive."""

    credentials: Credentials
    lifetime_s: int
    _by_token: dict[str, Session] = field(factory=dict, init=False)
    _by_refresh: dict[str, Session] = field(factory=dict, init=False)

    def opened(self, scope: str, connection: int | None, now_s: float) -> Session:
        """
        Return a new session of the key; *scope* as asked for, *connection* a websocket's number.

        Raises:
            RpcError: 11050, too many named sessions; -32602, the scope does not read.
        """
        words = scope.split()
        name = next((word[8:] for word in words if word.startswith("session:")), None)
        lifetime_s = next((_seconds(word) for word in words if word.startswith("expires:")), None)
        if name is not None:
            self._make_room(name, now_s)
        whole_s = min(lifetime_s or self.lifetime_s, self.lifetime_s)
        made = Session(
            access_token=f"{int(now_s * 1000)}.1{token_urlsafe(8)}.{token_urlsafe(32)}",
            refresh_token=f"{int(now_s * 1000)}.1{token_urlsafe(8)}.{token_urlsafe(32)}",
            name=name,
            connection=connection if name is None else None,
            levels=_levels(words, self.credentials.access),
            expires_at_s=now_s + whole_s,
            lifetime_s=whole_s,
        )
        self._keep(made)
        return made

    def renewed(self, refresh_token: str, connection: int | None, now_s: float) -> Session:
        """
        Return a new session for the *refresh_token* of an old one, which ends.

        Raises:
            RpcError: 13009, there is none.
        """
        old = self._refreshable(refresh_token)
        self.close(old)
        named = [] if old.name is None else [f"session:{old.name}"]
        return self.opened(" ".join([*_words(old), *named]), connection, now_s)

    def forked(
        self, refresh_token: str, name: str | None, connection: int | None, now_s: float
    ) -> Session:
        """
        Return a new session with the access of the one of *refresh_token*, which lives on.

        *name* None is a session without one.

        Raises:
            RpcError: 13009, there is none; 11050, too many named sessions.
        """
        old = self._refreshable(refresh_token)
        named = [] if name is None else [f"session:{name}"]
        return self.opened(" ".join([*_words(old), *named]), connection, now_s)

    def by_token(self, token: str, connection: int | None, now_s: float) -> Session:
        """
        Return the session of *token*, used on the websocket *connection* or over HTTP.

        Raises:
            RpcError: 13009, it is unknown, expired, or of another connection.
        """
        session = self._by_token.get(token)
        if session is None:
            raise unauthorized("invalid_token")
        return self.checked(session, connection, now_s)

    def checked(self, session: Session, connection: int | None, now_s: float) -> Session:
        """
        Return *session* if it still holds here.

        Raises:
            RpcError: 13009, it does not.
        """
        if session.access_token not in self._by_token or session.expires_at_s <= now_s:
            self._by_token.pop(session.access_token, None)
            raise unauthorized("invalid_token")
        if session.connection is not None and session.connection != connection:
            raise unauthorized("token_of_another_connection")
        return session

    def by_header(self, header: str, signed_text: str, now_s: float) -> Session:
        """
        Return the session of an Authorization *header*: Bearer, Basic or deri-hmac-sha256.

        *signed_text* is what a signature covers: method, target and body, a line each.

        Raises:
            RpcError: 13004 or 13009, it is wrong.
        """
        kind, _, value = header.strip().partition(" ")
        if kind.lower() == "bearer":
            return self.by_token(value.strip(), None, now_s)
        if kind.lower() == "basic":
            self.require_key(*_basic(value))
            return self._for_request(now_s)
        if kind.lower() == "deri-hmac-sha256":
            parts = dict(part.strip().partition("=")[::2] for part in value.split(","))
            text = f"{parts.get('ts', '')}\n{parts.get('nonce', '')}\n{signed_text}"
            self.require_signature(parts.get("id", ""), text, parts.get("sig", ""))
            return self._for_request(now_s)
        raise unauthorized("invalid_authorization_header")

    def require_key(self, client_id: str, client_secret: str) -> None:
        """
        Return if it is the key.

        Raises:
            RpcError: 13004, it is not.
        """
        if not self.credentials.matches(client_id, client_secret):
            raise invalid_credentials()

    def require_signature(self, client_id: str, text: str, signature: str) -> None:
        """
        Return if *signature* of *text* is by the key.

        Raises:
            RpcError: 13004, it is not.
        """
        if not self.credentials.has_signed(client_id, text, signature):
            raise invalid_credentials()

    def close(self, session: Session) -> None:
        """End *session*; its tokens are unknown from now on."""
        self._by_token.pop(session.access_token, None)
        self._by_refresh.pop(session.refresh_token, None)

    def close_all(self) -> None:
        """End every session."""
        self._by_token.clear()
        self._by_refresh.clear()

    def drop_connection(self, connection: int) -> None:
        """End the sessions that die with the websocket *connection*."""
        for session in tuple(self._by_token.values()):
            if session.connection == connection:
                self.close(session)

    def _refreshable(self, refresh_token: str) -> Session:
        session = self._by_refresh.get(refresh_token)
        if session is None:
            raise unauthorized("invalid_refresh_token")
        return session

    def _keep(self, session: Session) -> None:
        for old in tuple(self._by_refresh.values()):
            if old.expires_at_s + _REFRESHABLE_S < session.expires_at_s - session.lifetime_s:
                self.close(old)
        self._by_token[session.access_token] = session
        self._by_refresh[session.refresh_token] = session

    def _make_room(self, name: str, now_s: float) -> None:
        """A name that is taken is taken over; an expired one counts no longer."""
        for session in tuple(self._by_refresh.values()):
            if session.name == name or session.expires_at_s <= now_s:
                self.close(session)
        if sum(session.name is not None for session in self._by_refresh.values()) >= _MOST_SESSIONS:
            raise RpcError(11050, "bad_request", {"reason": "too_many_sessions"})

    def _for_request(self, now_s: float) -> Session:
        """A session for a request that carries its own proof; it is not kept."""
        return Session(
            access_token="",
            refresh_token="",
            name=None,
            connection=None,
            levels=_levels([], self.credentials.access),
            expires_at_s=now_s,
            lifetime_s=0,
        )


def _words(session: Session) -> list[str]:
    """The access of *session* as a scope has it."""
    return [f"{area}:{level}" for area, level in session.levels.items()]


def _levels(words: list[str], key_access: str) -> dict[str, str]:
    """Access as asked for, everything if nothing is named, and no more than the key has."""
    key, asked = _named(key_access.split()), _named(words)
    return {
        area: min(level, asked.get(area, "none") if asked else level, key=_LEVELS.index)
        for area, level in key.items()
    }


def _named(words: list[str]) -> dict[str, str]:
    """The access that *words* name, area by area."""
    pairs = dict(word.split(":", 1) for word in words if ":" in word)
    named = {area: pairs[area] for area in _ACCESS if area in pairs}
    for area, level in named.items():
        if level not in _LEVELS:
            raise RpcError(
                -32602, "Invalid params", {"reason": f"{area}:{level}", "param": "scope"}
            )
    return named


def _seconds(word: str) -> int:
    text = word.partition(":")[2]
    if not text.isdecimal() or int(text) == 0:
        raise RpcError(-32602, "Invalid params", {"reason": word, "param": "scope"})
    return int(text)


def _basic(value: str) -> tuple[str, str]:
    try:
        name, _, secret = b64decode(value, validate=True).decode().partition(":")
    except (NotBase64, UnicodeDecodeError) as error:
        raise invalid_credentials() from error
    return name, secret
