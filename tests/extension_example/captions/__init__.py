"""Captions of pictures, a signal that finds them after a few words changed, and a feed of them."""

from threatexchange.extensions.manifest import ThreatExchangeExtensionManifest

from .content import CaptionContent
from .exchange import CaptionFeedAPI
from .signal import CaptionWordsSignal

TX_MANIFEST = ThreatExchangeExtensionManifest(
    signal_types=(CaptionWordsSignal,),
    content_types=(CaptionContent,),
    apis=(CaptionFeedAPI,),
)
