"""From an answer to a pair: a wording of the question, the options, the sounds."""

from __future__ import annotations

from antiphon.language.tasks.answers.base import Answer, Ask
from antiphon.language.tasks.draws import Draws
from antiphon.language.tasks.pair import AUDIO_MARK, Pair
from antiphon.language.tasks.wording import joined, with_article


def put(ask: Ask, answer: Answer) -> Pair:
    """Put a question to which the answer is right.

    Parameters
    ----------
    ask
        The row and the task.
    answer
        What was worked out.
    """
    row, task, draws = ask.row, ask.task, ask.draws
    template = draws.below(len(task.prompts))
    question = task.prompts[template]
    if answer.subject is not None:
        # The wordings hold no other braces; a subject may, so it is put in once.
        articled = "{a_name}" in question and not answer.bare
        named = with_article(answer.subject) if articled else answer.subject
        question = question.replace("{a_name}", "{name}").replace("{name}", named, 1)
    if answer.options:
        question = f"{question}{_offer(answer.options, draws)}"
    audio = (*answer.before, ask.sound)
    text = answer.text
    if AUDIO_MARK in question or AUDIO_MARK in text:
        question = question.replace(AUDIO_MARK, "audio")
        text = text.replace(AUDIO_MARK, "audio")
    return Pair(
        id=f"{ask.sound.row_id}#{task.id}",
        task=task.id,
        family=task.family,
        form=task.form,
        prompt=f"{AUDIO_MARK}\n" * len(audio) + question,
        answer=text,
        options=answer.options,
        audio=audio,
        checker=answer.checker,
        template=template,
        taxon=row.scientific_name or row.species,
        subject=answer.subject,
        split=ask.split,
    )


def _offer(options: tuple[str, ...], draws: Draws) -> str:
    # In a line, a name with a comma would read like two.
    layout = 3 if any("," in option for option in options) else draws.below(4)
    if layout == 0:
        return f" Options: {', '.join(options)}."
    if layout == 1:
        return f" Choose from: {', '.join(options)}."
    if layout == 2:
        return f" The options are {joined(options, 'and')}."
    return "\n" + "\n".join(f"- {option}" for option in options)
