package imagefolder

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // decoder
	_ "image/png"  // decoder
	"io"
	"io/fs"

	"golang.org/x/image/draw"
)

// reader collects the pixels of images.
type reader struct {
	o      Options // with the size of the first image once it is known
	files  int     // that there will be
	pixels []byte
}

func (r *reader) channels() int {
	if r.o.Gray {
		return 1
	}
	return 3
}

func (r *reader) add(f fs.FS, p string) error {
	img, err := decode(f, p)
	if err != nil {
		return err
	}
	size := img.Bounds().Size()
	if r.o.Height == 0 {
		r.o.Height, r.o.Width = size.Y, size.X
	}
	if one := r.o.Height * r.o.Width * r.channels(); r.files > maxBytes/one {
		return fmt.Errorf("%d images of %d bytes have more than %d bytes together", r.files, one, maxBytes)
	}
	r.append(scale(img, r.o.Width, r.o.Height))
	return nil
}

// decode reads an image. Its size is checked before memory is taken for it.
func decode(f fs.FS, p string) (image.Image, error) {
	file, err := f.Open(p)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("the file has more than %d bytes", maxFile)
	}
	c, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	if c.Width < 1 || c.Height < 1 || c.Width > maxPixels/c.Height {
		return nil, fmt.Errorf("an image of %dx%d pixels, the limit is %d", c.Width, c.Height, maxPixels)
	}
	// Deflate packs at most 1032 bytes into one (zlib's technical notes), a byte is at most 8 pixels of PNG; JPEG packs less.
	if c.Width*c.Height > 8*1032*len(data) {
		return nil, fmt.Errorf("an image of %dx%d pixels cannot be in %d bytes", c.Width, c.Height, len(data))
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	return img, err
}

// scale makes an image of that size, each pixel the mean around its place (a bilinear kernel, wider where the image shrinks).
func scale(img image.Image, w, h int) image.Image {
	if img.Bounds().Size() == (image.Point{X: w, Y: h}) {
		return img
	}
	scaled := image.NewNRGBA(image.Rect(0, 0, w, h))
	draw.BiLinear.Scale(scaled, scaled.Bounds(), img, img.Bounds(), draw.Src, nil)
	return scaled
}

func (r *reader) append(img image.Image) {
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			red, green, blue := rgb(img, x, y)
			if r.o.Gray {
				r.pixels = append(r.pixels, luma(red, green, blue))
			} else {
				r.pixels = append(r.pixels, red, green, blue)
			}
		}
	}
}

// rgb is the colour of a pixel, as if it were opaque.
func rgb(img image.Image, x, y int) (r, g, b uint8) {
	switch img := img.(type) { // what the decoders make of common files, without a detour by interfaces
	case *image.YCbCr:
		c := img.YCbCrAt(x, y)
		return color.YCbCrToRGB(c.Y, c.Cb, c.Cr)
	case *image.Gray:
		v := img.GrayAt(x, y).Y
		return v, v, v
	}
	c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
	return c.R, c.G, c.B
}

// luma is 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), in 16-bit fixed point; equal components keep their value.
func luma(r, g, b uint8) uint8 {
	return uint8((19595*uint32(r) + 38470*uint32(g) + 7471*uint32(b) + 1<<15) >> 16)
}
