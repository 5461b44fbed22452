"""MediaPipe's Face Mesh plus a crop of the mouth, in MediaPipe's own environment: knows nothing of LipSol.

For each order on standard input, a JSON line {"faces": how many it may follow, "clips": paths}, it answers with a line
{"frames": ..., "cpu_s": ...}. Clips are .npy files of RGB frames, or video files, which OpenCV decodes on one thread.
What MediaPipe sets up once is not counted, nor what reading a .npy file costs. It has one CPU, and keeps its state from
clip to clip: as fast as it goes.
"""

import json
import os
import sys
import time

import cv2
import mediapipe
import numpy as np

MOUTH_PX, EYE_SPAN_PX = 96, 92.0  # as LipSol cuts mouths
EYES = (33, 263)
# Points whose mean is the mouth's centre: as many as LipSol's, from the same rings of the mesh.
LIPS = (
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185,
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191,
)  # fmt: skip


def main():
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    cv2.setNumThreads(1)
    meshes = {}
    for line in sys.stdin:
        order = json.loads(line)
        if order["faces"] not in meshes:
            meshes[order["faces"]] = mesh = mediapipe.solutions.face_mesh.FaceMesh(max_num_faces=order["faces"])
            watch(mesh, frames_of(order["clips"][0]))
        print(json.dumps(measured(meshes[order["faces"]], order["clips"])), flush=True)


def measured(mesh, paths):
    count, cpu_s = 0, 0.0
    for path in paths:
        frames = frames_of(path)
        began = time.process_time()
        count += watch(mesh, frames)
        cpu_s += time.process_time() - began
    return {"frames": count, "cpu_s": cpu_s}


def frames_of(path):
    """Frames that are there already, or a generator that decodes them while they are watched."""
    return np.load(path) if path.endswith(".npy") else decoded(path)


def decoded(path):
    film = cv2.VideoCapture(path, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    while True:
        there, picture = film.read()
        if not there:
            return
        yield cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def watch(mesh, frames):
    """Follow the face and cut its mouth out of each frame; how many frames there were."""
    count = 0
    for frame in frames:
        count += 1
        faces = mesh.process(frame).multi_face_landmarks
        if faces:
            crop(frame, faces[0].landmark)
    return count


def crop(frame, landmarks):
    height, width = frame.shape[:2]
    points = np.array([(landmarks[at].x, landmarks[at].y) for at in EYES + LIPS]) * (width, height)
    across, centre = points[1] - points[0], points[2:].mean(0)
    cos, sin = across * (EYE_SPAN_PX / max(float(across @ across), 1e-6))
    turn = np.array([[cos, sin], [-sin, cos]])
    move = np.column_stack([turn, MOUTH_PX / 2 - turn @ centre])
    gray = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    return cv2.warpAffine(gray, move, (MOUTH_PX, MOUTH_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


if __name__ == "__main__":
    main()
