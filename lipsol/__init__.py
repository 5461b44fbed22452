"""LipSol reads lips: a video of a person speaking goes in, the words come out, with how sure it is.

Two columns that never import each other stand on `errors`: science (`clips`, `text`, `model`, `bundle`, `reader`,
`training`: arrays in, arrays out) and plumbing (`events`, `bus`, `store`, `registry`, `runtime`: no torch, no cv2).
"""

import os

# Before anything imports onnxruntime: from 1.29 on it tells its makers about each session that is opened, and keeps an
# id of the machine in the user's cache, unless this is set when it loads.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
