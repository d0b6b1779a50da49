"""Writes the small pictures of fuzz/seeds/picture, one for each way of storing them, and what Pillow sees in them.

Run in this folder with Pillow and numpy. Committed are the files and `small.json`: width, height, and the mean of each channel.
"""
import io, json
from pathlib import Path
import numpy as np
from PIL import Image, ImageDraw

folder = Path(__file__).resolve().parents[3] / "fuzz/seeds/picture"
random = np.random.default_rng(1)
image = Image.new("RGB", (40, 28), (200, 220, 30))
draw = ImageDraw.Draw(image)
draw.ellipse([4, 4, 22, 22], fill=(220, 30, 40))
draw.rectangle([24, 8, 38, 26], fill=(30, 60, 200))
noisy = np.asarray(image).astype(int) + random.integers(-20, 20, (28, 40, 3))
image = Image.fromarray(noisy.clip(0, 255).astype(np.uint8))
turned = [image.rotate(90), image.rotate(180)]
files = {
    "baseline.jpg": (image, "JPEG", {}),
    "full-colour.jpg": (image, "JPEG", {"subsampling": 0, "optimize": True}),
    "restarts.jpg": (image, "JPEG", {"restart_marker_blocks": 1}),
    "progressive.jpg": (image, "JPEG", {"progressive": True}),
    "progressive-restarts.jpg": (image, "JPEG", {"progressive": True, "restart_marker_blocks": 2}),
    "grey.jpg": (image.convert("L"), "JPEG", {}),
    "inks.jpg": (image.convert("CMYK"), "JPEG", {}),
    "colours.png": (image, "PNG", {}),
    "palette.png": (image.quantize(16), "PNG", {}),
    "lossy.webp": (image, "WEBP", {"quality": 80}),
    "lossless.webp": (image, "WEBP", {"lossless": True}),
    "alpha.webp": (image.convert("RGBA").rotate(10), "WEBP", {}),
    "animated.webp": (image, "WEBP", {"save_all": True, "append_images": turned}),
}
seen = {}
for name, (picture, kind, settings) in files.items():
    picture.save(folder / name, kind, **settings)
    back = Image.open(folder / name)
    white = Image.new("RGBA", back.size, "white")
    rgb = np.asarray(Image.alpha_composite(white, back.convert("RGBA")).convert("RGB"))
    seen[name] = {"width": back.width, "height": back.height, "means": [round(float(m), 3) for m in rgb.mean((0, 1))]}
(Path(__file__).parent / "small.json").write_text(json.dumps(seen, indent=1) + "\n")
