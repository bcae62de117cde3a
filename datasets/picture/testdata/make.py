"""Makes the files beside it, with Pillow 13.0 (libwebp, libtiff): run it here. Each NAME.png is
what Pillow reads of NAME, upright and in RGBA, for the tests to compare with."""

import struct

from PIL import Image, ImageOps


def motley(w, h, alpha=False):
    image = Image.new("RGBA", (w, h))
    for y in range(h):
        for x in range(w):
            image.putpixel((x, y), (255 * x // (w - 1), 255 * y // (h - 1), 40 + 100 * (x + 2 * y) // (w + 2 * h), 8 * x if alpha else 255))
    return image if alpha else image.convert("RGB")


opaque, thin = motley(24, 18), motley(24, 18, alpha=True)
exif = Image.Exif()
exif[0x0112] = 6
second = Image.new("RGB", (24, 18), (200, 10, 10))
grey16 = Image.new("I;16", (24, 18))
for i in range(24 * 18):
    grey16.putpixel((i % 24, i // 24), i * 150)

opaque.save("lossy.webp", quality=90)
Image.new("RGB", (24, 18), "white").save("white.webp", quality=90)
opaque.save("lossless.webp", lossless=True)
thin.save("alpha.webp", quality=90, exact=True)
thin.save("alpha-lossless.webp", lossless=True, exact=True)
opaque.save("turned.webp", quality=90, exif=exif)
opaque.save("animated.webp", quality=90, save_all=True, append_images=[second])
thin.save("animated-alpha.webp", quality=90, save_all=True, append_images=[second.convert("RGBA")], exact=True)
opaque.quantize(32).save("palette.gif")
opaque.quantize(32).save("animated.gif", save_all=True, append_images=[second])
opaque.save("plain.bmp")
opaque.quantize(32).save("palette.bmp")
opaque.convert("1").save("bits.bmp")
opaque.save("plain.tif")
opaque.save("turned.tif", exif=exif, compression="tiff_lzw")
opaque.save("pages.tif", save_all=True, append_images=[second], compression="tiff_adobe_deflate")
opaque.convert("1").save("fax.tif", compression="group4")
opaque.quantize(32).save("palette.tif")
thin.save("alpha.tif", compression="packbits")
grey16.save("grey16.tif")
opaque.convert("CMYK").save("cmyk.jpg", quality=95)

# A first frame that is smaller than its page, at (6, 4).
small = motley(8, 6)
small.save("frame.webp", lossless=True)
frame = open("frame.webp", "rb").read()[12:]


def part(name, body):
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def three(n):
    return struct.pack("<I", n)[:3]


body = b"WEBP" + part(b"VP8X", b"\x12\0\0\0" + three(23) + three(17)) + part(b"ANIM", b"\0" * 6)
body += part(b"ANMF", three(3) + three(2) + three(7) + three(5) + three(100) + b"\0" + frame)
open("frame.webp", "wb").write(b"RIFF" + struct.pack("<I", len(body)) + body)
small.quantize(15).save("frame.gif", transparency=15)
gif = bytearray(open("frame.gif", "rb").read())
gif[6:10] = struct.pack("<HH", 24, 18)
at = gif.index(b",\0\0\0\0\x08\0\x06\0")
gif[at + 1 : at + 5] = struct.pack("<HH", 6, 4)
open("frame.gif", "wb").write(gif)

for name in """lossy.webp white.webp lossless.webp alpha.webp alpha-lossless.webp turned.webp animated.webp animated-alpha.webp frame.webp
    palette.gif animated.gif frame.gif plain.bmp palette.bmp bits.bmp plain.tif turned.tif pages.tif fax.tif palette.tif alpha.tif""".split():
    ImageOps.exif_transpose(Image.open(name)).convert("RGBA").save(name + ".png")
