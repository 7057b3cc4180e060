"""Makes numpy.npz, compressed.npz and fortran.npy, with numpy 2.4.6: python make.py, in this folder."""

import numpy as np

kinds = ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]
arrays = {k: (np.arange(6).reshape(2, 3) * 40 % 127).astype(k) for k in kinds}
arrays["scalar"] = np.float32(1.5)
arrays["empty"] = np.zeros((0, 4), np.int8)
arrays["vector"] = np.array([-1, 2, -3], np.int16)
arrays["deep"] = np.zeros((1,) * 32, np.int32)  # a header of more than 127 bytes
np.savez("numpy.npz", **arrays)
np.savez_compressed("compressed.npz", zeros=np.zeros((100, 100), np.float32), ramp=np.arange(1000, dtype=np.int32))
np.save("fortran.npy", np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)))
