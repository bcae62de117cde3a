"""Makes the fixtures of package npz with NumPy (2.x): python make.py, in this folder."""

import numpy as np

x = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5) / 8
y = np.array([7, 0], dtype=np.int64)
x0 = x.astype(np.float64) - 1  # what numpy.random gives
np.savez("savez.npz", x=x, y=y, x0=x0)
np.savez_compressed("compressed.npz", x=x, y=y, x0=x0)
np.savez(
    "kinds.npz",
    b1=np.array([True, False]),
    i1=np.array([-128, 127], dtype=np.int8),
    u1=np.array([0, 255], dtype=np.uint8),
    i2=np.array([-32768, 32767], dtype=np.int16),
    u2=np.array([0, 65535], dtype=np.uint16),
    i4=np.array([-(2**31), 2**31 - 1], dtype=np.int32),
    u4=np.array([0, 2**32 - 1], dtype=np.uint32),
    i8=np.array([-(2**63), 2**63 - 1], dtype=np.int64),
    scalar=np.float32(2.5),
    empty=np.zeros((0, 3), dtype=np.float32),
)
np.savez("object.npz", x=np.array([{}, None], dtype=object))
np.savez("columns.npz", x=np.asfortranarray(x))
np.savez("bigendian.npz", x=x.astype(">f4"))
np.savez("half.npz", x=x.astype(np.float16))
np.savez("records.npz", x=np.zeros(2, dtype=[("a", "<f4"), ("b", "<i4")]))
