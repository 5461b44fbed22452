"""GRID clips -> two signed-off bundles: manifest -> checks -> members -> calibration -> scores -> bundles.

Training needs the `train` extra (torch); reading never does. One seed gives one pair of bundles.
"""
