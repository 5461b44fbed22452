"""The networks: mouth pictures and lip points in, log-probabilities per frame out. Needs torch; serving does not.

    mouth -> 48x48 -> per-clip contrast -> PCA ┐
                                               ├ values and their differences -> linear -> conv -> 2 x BiGRU -> heads
    lip and jaw points, minus the clip's mean ─┘

Three such members make a sentence model. `near` and `second` were trained on one speaker's own picture, from
different seeds; `far` sees only what changes within a clip and was trained on several speakers. How familiar the
speaker is weighs them against each other. Word frames of near and second are averaged, since each frame's label
fixed their timing; characters are near's alone, since two networks put CTC's spikes at different times and their mean
is mostly blank.
Padding never changes an answer: every operation over time is masked or runs to each clip's own length.
"""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

CROP_PX = 72  # side of the part of the 96-pixel mouth picture that the network looks at
EYE_PX = 48  # side it is brought to


@dataclass(frozen=True)
class Sizes:
    """The dimensions of one member; they travel in the bundle's card."""

    components: int = 128
    points: int = 56
    width: int = 192
    conv: int = 320
    hidden: int = 160
    words: int = 51
    characters: int = 27
    phones: int = 0
    dropout: float = 0.25
    still: bool = True  # whether the member sees the clip's mean picture and lip shape as well as the changes


def time_mask(length: Tensor, frames: int) -> Tensor:
    """Float tensor, shape (batch, frames, 1): 1 where a clip still runs, 0 in its padding."""
    return (torch.arange(frames, device=length.device)[None, :] < length[:, None]).float()[..., None]


def clip_mean(x: Tensor, mask: Tensor) -> Tensor:
    """Mean over each clip's own frames: (batch, frames, features) -> (batch, 1, features).

    A product with the mask: a sum would add in another order with every length of padding, and what follows makes much
    of such roundings.
    """
    return (mask.transpose(1, 2) @ x) / mask.sum(1, keepdim=True)


def shrink_matrix() -> Tensor:
    """Bilinear resize from CROP_PX to EYE_PX as a matrix, shape (EYE_PX, CROP_PX); pixel centres as in OpenCV."""
    at = (torch.arange(EYE_PX) + 0.5) * CROP_PX / EYE_PX - 0.5
    low = at.floor().clamp(0, CROP_PX - 2)
    share = at - low
    rows = torch.zeros(EYE_PX, CROP_PX)
    rows[torch.arange(EYE_PX), low.long()] = 1 - share
    rows[torch.arange(EYE_PX), low.long() + 1] = share
    return rows


class Eye(nn.Module):
    """Mouth pictures -> principal components (Turk and Pentland 1991) of the clip's contrast-normalised pixels."""

    shrink: Tensor
    mean: Tensor
    components: Tensor

    def __init__(self, mean: Tensor, components: Tensor) -> None:
        """mean: (EYE_PX**2,); components: (EYE_PX**2, n), whitened columns."""
        super().__init__()
        self.register_buffer("shrink", shrink_matrix())
        self.register_buffer("mean", mean)
        self.register_buffer("components", components)

    def look(self, mouth: Tensor) -> Tensor:
        """uint8 (batch, frames, 96, 96) -> float (batch, frames, EYE_PX**2), gray 0 to 1."""
        edge = (mouth.shape[-1] - CROP_PX) // 2
        crop = mouth[..., edge : edge + CROP_PX, edge : edge + CROP_PX].float() / 255
        return (self.shrink @ crop @ self.shrink.T).flatten(2)

    def forward(self, pixels: Tensor, mask: Tensor) -> Tensor:
        """Gray pixels (batch, frames, EYE_PX**2) -> components (batch, frames, n)."""
        centred = pixels - clip_mean(pixels, mask).mean(-1, keepdim=True)
        spread = clip_mean(centred.square(), mask).mean(-1, keepdim=True).sqrt()
        return (centred / (spread + 1e-4) - self.mean) @ self.components


class BothWays(nn.Module):
    """A GRU in each direction; the backward one starts at each clip's own last frame, so padding changes nothing."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.ahead = nn.GRU(inputs, hidden, batch_first=True)
        self.back = nn.GRU(inputs, hidden, batch_first=True)

    def forward(self, x: Tensor, length: Tensor) -> Tensor:
        at = torch.arange(x.shape[1], device=x.device)[None, :]
        turned = torch.where(at < length[:, None], length[:, None] - 1 - at, at)[..., None]
        ahead = self.ahead(x)[0]
        back = self.back(torch.gather(x, 1, turned.expand(-1, -1, x.shape[2])))[0]
        return torch.cat([ahead, torch.gather(back, 1, turned.expand(-1, -1, back.shape[2]))], -1)


class Member(nn.Module):
    """Components and points -> frame features -> character and word log-probabilities."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        inputs = 2 * (sizes.components + 2 * sizes.points)
        self.enter = nn.Linear(inputs, sizes.width)
        self.norm = nn.LayerNorm(sizes.width)
        self.conv = nn.Conv1d(sizes.width, sizes.conv, 5, padding=2)
        self.first = BothWays(sizes.conv, sizes.hidden)
        self.second = BothWays(2 * sizes.hidden, sizes.hidden)
        self.drop = nn.Dropout(sizes.dropout)
        self.characters = nn.Linear(2 * sizes.hidden, 1 + sizes.characters)
        self.words = nn.Linear(2 * sizes.hidden, 1 + sizes.words)
        self.early = nn.Linear(2 * sizes.hidden, 1 + sizes.characters)
        self.phones = nn.Linear(2 * sizes.hidden, 1 + sizes.phones)

    def streams(self, components: Tensor, points: Tensor, mask: Tensor) -> Tensor:
        """What the member sees of each frame: (batch, frames, inputs)."""
        shape = 30 * (points - clip_mean(points, mask))
        picture = components if self.sizes.still else components - clip_mean(components, mask)
        still = torch.cat([picture, shape], -1)
        change = torch.zeros_like(still)
        change = torch.cat([change[:, :1], still[:, 1:] - still[:, :-1]], 1)
        return torch.cat([still, 3 * change], -1) * mask

    def trunk(self, streams: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        """Frame features after the first and the second recurrent layer, (batch, frames, 2 * hidden) each."""
        mask = time_mask(length, streams.shape[1])
        x = self.drop(torch.relu(self.norm(self.enter(streams)))) * mask
        x = self.drop(torch.relu(self.conv(x.transpose(1, 2)).transpose(1, 2))) * mask
        first = self.drop(self.first(x, length)) * mask
        return first, self.drop(self.second(first, length)) * mask

    def forward(self, components: Tensor, points: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        """Character and word log-probabilities, (batch, frames, 1 + characters) and (batch, frames, 1 + words)."""
        mask = time_mask(length, components.shape[1])
        _, top = self.trunk(self.streams(components, points, mask), length)
        return self.characters(top).log_softmax(-1), self.words(top).log_softmax(-1)


class Familiarity(nn.Module):
    """How far a clip's mean picture and lip shape lie from those of the speaker the near member knows.

    Mahalanobis distance per dimension (1 is the known speaker's own spread), minus `bound`: above 0 is a stranger.
    """

    centre: Tensor
    whiten: Tensor
    bound: Tensor

    def __init__(self, centre: Tensor, whiten: Tensor, bound: Tensor) -> None:
        """centre: (n,); whiten: (n, n), its transpose times itself is the inverse covariance; bound: ()."""
        super().__init__()
        self.register_buffer("centre", centre)
        self.register_buffer("whiten", whiten)
        self.register_buffer("bound", bound)

    def forward(self, components: Tensor, points: Tensor, mask: Tensor) -> Tensor:
        """Strangeness of each clip, (batch,)."""
        still = torch.cat([clip_mean(components, mask), clip_mean(points, mask)], -1)[:, 0]
        return ((still - self.centre) @ self.whiten).square().mean(-1).sqrt() - self.bound


class SentenceModel(nn.Module):
    """Mouth clip -> character and word log-probabilities and the speaker's strangeness, as exported to ONNX."""

    def __init__(self, eye: Eye, near: Member, second: Member, far: Member, familiarity: Familiarity) -> None:
        super().__init__()
        self.eye, self.near, self.second, self.far, self.familiarity = eye, near, second, far, familiarity

    def forward(self, mouth: Tensor, lips: Tensor, jaw: Tensor, length: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """mouth uint8 (batch, frames, 96, 96), lips (batch, frames, 40, 2), jaw (batch, frames, 16, 2), length (batch).

        Returns char_logp (batch, frames, 1 + characters), word_logp (batch, frames, 1 + words), strangeness (batch,).
        """
        mask = time_mask(length, mouth.shape[1])
        components = self.eye(self.eye.look(mouth), mask)
        points = torch.cat([lips, jaw], 2).flatten(2)
        strangeness = self.familiarity(components, points, mask)
        share = near_share(strangeness)[:, None, None]
        near_chars, near_words = self.near(components, points, length)
        second_words = self.second(components, points, length)[1]
        far_chars, far_words = self.far(components, points, length)
        words = _mix(share, 0.5 * (near_words + second_words), far_words)
        return _mix(share, near_chars, far_chars), words, strangeness


class WordModel(nn.Module):
    """Mouth clip of one word -> log-probabilities of the words, as exported to ONNX."""

    def __init__(self, eye: Eye, near: "WordHead", far: "WordHead", familiarity: Familiarity) -> None:
        super().__init__()
        self.eye, self.near, self.far, self.familiarity = eye, near, far, familiarity

    def forward(self, mouth: Tensor, lips: Tensor, jaw: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs as SentenceModel's; returns word_logp (batch, words) and strangeness (batch,)."""
        mask = time_mask(length, mouth.shape[1])
        components = self.eye(self.eye.look(mouth), mask)
        points = torch.cat([lips, jaw], 2).flatten(2)
        strangeness = self.familiarity(components, points, mask)
        share = near_share(strangeness)[:, None]
        return _mix(share, self.near(components, points, length), self.far(components, points, length)), strangeness


class WordHead(nn.Module):
    """A member's frame features, pooled over the clip by mean and maximum -> word log-probabilities (batch, words)."""

    def __init__(self, member: Member) -> None:
        super().__init__()
        self.member = member
        self.out = nn.Linear(4 * member.sizes.hidden, member.sizes.words)

    def forward(self, components: Tensor, points: Tensor, length: Tensor) -> Tensor:
        mask = time_mask(length, components.shape[1])
        _, top = self.member.trunk(self.member.streams(components, points, mask), length)
        highest = (top + (mask - 1) * 1e4).amax(1)
        pooled = self.member.drop(torch.cat([clip_mean(top, mask)[:, 0], highest], -1))
        return cast(Tensor, self.out(pooled)).log_softmax(-1)


def near_share(strangeness: Tensor) -> Tensor:
    """Weight of the near member: all of it for the known speaker, none for a stranger."""
    return torch.sigmoid(-4 * strangeness)


def _mix(share: Tensor, near: Tensor, far: Tensor) -> Tensor:
    """Weighted mean of two log-probabilities, normalised again."""
    return (share * near + (1 - share) * far).log_softmax(-1)
