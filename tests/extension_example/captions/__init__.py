"""Captions of pictures, and a signal that finds them again after a few of their words changed."""

from threatexchange.extensions.manifest import ThreatExchangeExtensionManifest

from .content import CaptionContent
from .signal import CaptionWordsSignal

TX_MANIFEST = ThreatExchangeExtensionManifest(
    signal_types=(CaptionWordsSignal,),
    content_types=(CaptionContent,),
)
