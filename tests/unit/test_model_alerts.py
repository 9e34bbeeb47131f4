"""Many alerts are one message: what stops everything comes first."""

from __future__ import annotations

from mediawatch.model.alerts import OF_POSTS, Alert, AlertKind, as_message


def alert(kind: AlertKind, subject: str, at: float = 0.0, remedy: str = "Do it.") -> Alert:
    return Alert(f"{kind}:{subject}", kind, at, subject, f"{subject} it is.", remedy)


def test_one_is_told_as_it_is() -> None:
    """A heading, the sentence, and what to do."""
    message = as_message([alert(AlertKind.HELD, "a.jpg needs you")])

    assert "mediawatch: a.jpg needs you" == message.title
    assert "a.jpg needs you. a.jpg needs you it is.\n→ Do it." == message.body
    assert not message.good


def test_what_stops_everything_comes_first() -> None:
    """Whatever order it came in; each kind in the order of time."""
    message = as_message(
        [
            alert(AlertKind.PUBLISHED, "p"),
            alert(AlertKind.FAILED, "f2", at=2),
            alert(AlertKind.FAILED, "f1", at=1),
            alert(AlertKind.ACCOUNT, "account"),
        ]
    )

    assert "mediawatch: account, 2 posts failed, p" == message.title
    assert message.body.index("f1") < message.body.index("f2")


def test_remedies_that_differ_are_all_told() -> None:
    """One that is the same for several is told behind them."""
    message = as_message(
        [
            alert(AlertKind.FAILED, "a", 1, "Crop it."),
            alert(AlertKind.FAILED, "b", 2, "Crop it."),
            alert(AlertKind.FAILED, "c", 3, "Shorten it."),
        ]
    )

    assert 1 == message.body.count("→ Crop it.")
    assert message.body.index("b it is") < message.body.index("→ Crop it.")
    assert message.body.endswith("→ Shorten it.")


def test_only_what_went_well_is_good_news() -> None:
    """By that the receiver chooses its colour."""
    published = alert(AlertKind.PUBLISHED, "p")

    assert as_message([published]).good
    assert not as_message([published, alert(AlertKind.HELD, "h")]).good


def test_every_kind_can_be_told_alone_and_in_number() -> None:
    """A new kind has its place and its words."""
    for kind in AlertKind:
        assert "one" in as_message([alert(kind, "one")]).title
        many = as_message([alert(kind, "one"), alert(kind, "two")])
        assert ("2 posts" in many.title) == (kind in OF_POSTS)
