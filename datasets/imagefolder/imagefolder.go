// Package imagefolder reads images from a folder, or a .zip file, that has a folder for each class: cat/1.png, dog/2.jpg, ...
package imagefolder

import (
	"archive/zip"
	"bytes"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // decoder
	_ "image/png"  // decoder
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/image/draw"

	"github.com/temper-ml/temper/datasets"
)

// Options say what images become. Without a size it is that of the first image; others are scaled to it.
type Options struct {
	Height, Width int
	Gray          bool
}

const (
	maxPixels = 1 << 26 // of one image
	maxBytes  = 1 << 31 // of all images
)

// Open reads a folder; pixels are divided by 255. Classes and images are in the order of their names.
func Open(dir string, o Options) (*datasets.Set, error) { return fromFS(os.DirFS(dir), dir, o) }

// OpenZip is Open for a .zip file.
func OpenZip(file string, o Options) (*datasets.Set, error) {
	z, err := zip.OpenReader(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	defer z.Close()
	return fromFS(z, file, o)
}

// fromFS walks a file system.
func fromFS(f fs.FS, name string, o Options) (*datasets.Set, error) {
	var files []string
	err := fs.WalkDir(f, ".", func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && isImage(p) {
			files = append(files, p)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s has no .png or .jpg files in folders named by class", name)
	}
	slices.Sort(files)
	s := &reader{o: o}
	for _, p := range files {
		if err := s.add(f, p); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Join(name, p), err)
		}
	}
	c := 3
	if o.Gray {
		c = 1
	}
	return datasets.FromBytes(filepath.Base(name), []int{s.o.Height, s.o.Width, c}, s.pixels, 1.0/255, 0, s.labels, s.classes)
}

func isImage(p string) bool {
	switch strings.ToLower(path.Ext(p)) {
	case ".png", ".jpg", ".jpeg":
		return true
	}
	return false
}

type reader struct {
	o       Options
	pixels  []byte
	labels  []int32
	classes []string
}

func (r *reader) add(f fs.FS, p string) error {
	class := path.Base(path.Dir(p))
	if class == "." {
		return fmt.Errorf("the image is in no class folder")
	}
	k := slices.Index(r.classes, class)
	if k < 0 {
		k = len(r.classes)
		r.classes = append(r.classes, class)
	}
	img, err := decode(f, p)
	if err != nil {
		return err
	}
	size := img.Bounds().Size()
	if r.o.Height == 0 {
		r.o.Height, r.o.Width = size.Y, size.X
	}
	if len(r.pixels) > maxBytes-4*r.o.Height*r.o.Width {
		return fmt.Errorf("the images have more than %d bytes together", maxBytes)
	}
	if size != (image.Point{X: r.o.Width, Y: r.o.Height}) {
		scaled := image.NewRGBA(image.Rect(0, 0, r.o.Width, r.o.Height))
		draw.BiLinear.Scale(scaled, scaled.Bounds(), img, img.Bounds(), draw.Src, nil)
		img = scaled
	}
	r.append(img)
	r.labels = append(r.labels, int32(k))
	return nil
}

func decode(f fs.FS, p string) (image.Image, error) {
	file, err := f.Open(p)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, 1<<28))
	if err != nil {
		return nil, err
	}
	c, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	if c.Width < 1 || c.Height < 1 || c.Width > maxPixels/c.Height {
		return nil, fmt.Errorf("an image of %dx%d pixels", c.Width, c.Height)
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	return img, err
}

func (r *reader) append(img image.Image) {
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if r.o.Gray {
				r.pixels = append(r.pixels, color.GrayModel.Convert(img.At(x, y)).(color.Gray).Y)
				continue
			}
			c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
			r.pixels = append(r.pixels, c.R, c.G, c.B)
		}
	}
}
