"""LipSol reads lips: a video of a person speaking goes in, the words come out, with how sure it is.

Two columns that never import each other stand on `errors`: science (`clips`, `text`, `model`, `bundle`, `reader`,
`training`: arrays in, arrays out) and plumbing (`events`, `bus`, `store`, `registry`, `runtime`: no torch, no cv2).
"""
