# SPDX-License-Identifier: Apache-2.0
"""To be imported first: how a sum is split over threads is seen in its last bit."""
import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
