"""Voices of other services, as a call may ask for them.

This server speaks with its own voice; it checks what is asked and keeps it in the Call object, so
that a request made for the hosted service is tested as it stands.
"""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from bridge.api.schemas.base import ApiModel, Int32, JsonObject

JsonByteEncoding: TypeAlias = Literal[
    "JSON_BYTE_ENCODING_UNSPECIFIED", "JSON_BYTE_ENCODING_BASE64", "JSON_BYTE_ENCODING_HEX"
]


class PronunciationDictionaryReference(ApiModel):
    """A pronunciation dictionary within ElevenLabs."""

    dictionary_id: str | None = None
    version_id: str | None = None


class ElevenLabsVoice(ApiModel):
    """A voice of ElevenLabs."""

    voice_id: str | None = None
    model: str | None = None
    speed: Annotated[float, Field(ge=0.7, le=1.2)] | None = None
    use_speaker_boost: bool | None = None
    style: float | None = None
    similarity_boost: float | None = None
    stability: float | None = None
    pronunciation_dictionaries: list[PronunciationDictionaryReference] | None = None
    optimize_streaming_latency: Int32 | None = None
    max_sample_rate: Int32 | None = None
    enable_ssml_parsing: bool | None = None


class CartesiaGenerationConfig(ApiModel):
    """How Cartesia's Sonic-3 and later models speak."""

    volume: Annotated[float, Field(ge=0.5, le=2.0)] | None = None
    speed: Annotated[float, Field(ge=0.6, le=1.5)] | None = None
    emotion: str | None = None
    pronunciation_dict_id: str | None = None


class CartesiaVoice(ApiModel):
    """A voice of Cartesia."""

    voice_id: str | None = None
    model: str | None = None
    speed: Annotated[float, Field(ge=-1, le=1)] | None = None
    emotion: str | None = None
    emotions: list[str] | None = None
    generation_config: CartesiaGenerationConfig | None = None


class LmntVoice(ApiModel):
    """A voice of LMNT."""

    voice_id: str | None = None
    model: str | None = None
    speed: Annotated[float, Field(ge=0.25, le=2)] | None = None
    conversational: bool | None = None


class GoogleVoice(ApiModel):
    """A voice of Google, streamed both ways."""

    voice_id: str | None = None
    speaking_rate: Annotated[float, Field(ge=0.25, le=2)] | None = None


class InworldVoice(ApiModel):
    """A voice of Inworld."""

    voice_id: str | None = None
    model_id: str | None = None
    speaking_rate: Annotated[float, Field(ge=0.5, le=1.5)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    apply_text_normalization: bool | None = None


class RespeecherVoice(ApiModel):
    """A voice of Respeecher."""

    voice_id: str | None = None
    model: str | None = None
    seed: Int32 | None = None
    temperature: Annotated[float, Field(ge=0)] | None = None
    top_k: Int32 | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    min_p: Annotated[float, Field(ge=0, le=1)] | None = None
    presence_penalty: Annotated[float, Field(ge=0, le=2)] | None = None
    repetition_penalty: Annotated[float, Field(ge=1, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=0, le=2)] | None = None


class GenericVoice(ApiModel):
    """A voice behind any REST interface that takes text and gives WAV or PCM."""

    url: str | None = None
    headers: dict[str, str] | None = None
    body: JsonObject | None = None
    response_sample_rate: Int32 | None = None
    response_words_per_minute: Int32 | None = None
    response_mime_type: str | None = None
    json_audio_field_path: str | None = None
    json_byte_encoding: JsonByteEncoding | None = None


class ExternalVoice(ApiModel):
    """Exactly one provider's voice."""

    eleven_labs: ElevenLabsVoice | None = None
    cartesia: CartesiaVoice | None = None
    lmnt: LmntVoice | None = None
    google: GoogleVoice | None = None
    inworld: InworldVoice | None = None
    respeecher: RespeecherVoice | None = None
    generic: GenericVoice | None = None
