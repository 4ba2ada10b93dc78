"""The quality engine: the LivePortrait (humans) networks in PyTorch, for the published weights.

Layers, names of weights, crop and paste-back follow KwaiVGI/LivePortrait (Guo et al., arXiv:2407.03168).

    weights ──▶ networks: appearance · motion · warping · decoder · mlps        (each as published, key by key)
                    │
                  fused_networks: warping and decoder again, with less arithmetic and the same result
                    │                                                   ahead: the same compiled, where asked for
    crop · landmarks ──▶ renderer: photo + poses ──keypoints──▶ frames, in batches ──paste──▶ whole pictures
                    │
                  engine: what `gaze.engines.base` hands out        zero: the same on a ZeroGPU Space

Only modules of this package import torch, and nothing imports them before this engine is chosen.
"""
