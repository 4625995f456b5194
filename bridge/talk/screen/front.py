"""The screen as a front of a talk."""

from bridge.errors import BridgeError
from bridge.talk.events import SessionEvent
from bridge.talk.screen.app import LEAVES_AFTER_S, TalkApp
from bridge.talk.screen.board import Board
from bridge.talk.screen.feed import Feed
from bridge.talk.screen.needs import Talk
from bridge.talk.screen.palette import COLOURED, PLAIN
from bridge.talk.screen.paragraphs import Look
from bridge.talk.screen.terminal import drawn_on_stdout


class ScreenFront:
    """Draws the talk and takes its keys.

    Args:
        title: whom one talks to.
        push_to_talk: begin with the microphone closed until the space bar is held.
        colours: False where NO_COLOR is set.
        strikes: the terminal can strike text through.

    Attributes:
        board: what was shown; it is still there when the screen has gone.
        look: how it was written.
    """

    linger_s = LEAVES_AFTER_S + 2.0

    def __init__(self, title: str, *, push_to_talk: bool, colours: bool, strikes: bool) -> None:
        self.board = Board(title=title)
        self._feed = Feed(self.board)
        self._push_to_talk, self._colours, self._strikes = push_to_talk, colours, strikes
        self.look = Look(COLOURED if colours else PLAIN, strikes=strikes)
        self._at_s = 0.0

    def take(self, event: SessionEvent) -> None:
        """Put it on the board; the next redraw shows it."""
        self._at_s = event.at_s
        self._feed.take(event)

    def refuse(self, sentence: str) -> None:
        """Say it in the transcript."""
        self.board.note(sentence, at_s=self._at_s)

    async def run(self, talk: Talk) -> None:
        """Show the screen until it is left; then the call shall end, too.

        Raises: BridgeError when the screen broke.
        """
        with drawn_on_stdout() as driver:
            app = TalkApp(
                talk,
                self.board,
                push_to_talk=self._push_to_talk,
                colours=self._colours,
                strikes=self._strikes,
                driver_class=driver,
            )
            # The terminal's own selection of text with the mouse stays as it is.
            await app.run_async(mouse=False)
        if app.return_code:
            raise BridgeError("the screen broke; --plain shows the talk in lines")
        talk.hang_up()
