// Package imagefolder reads PNG and JPEG images from a folder, or a .zip file, that has a folder for each class: cat/1.png, dog/2.jpg, ...
package imagefolder

import (
	"archive/zip"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/temper-ml/temper/datasets"
)

// Options say what images become.
type Options struct {
	Height, Width int      // pixels, to which images of other sizes are scaled; 0: those of the first image
	Gray          bool     // one channel, luma by ITU-R BT.601, instead of red, green, blue; an alpha channel is ignored
	Classes       []string // the classes by index, so that two folders agree; nil: the names of the folders in order
}

const (
	maxPixels = 1 << 26   // of one image
	maxFile   = 1 << 28   // bytes of one image's file
	maxBytes  = 1<<31 - 1 // of all images together
)

// Open reads a folder; pixels are divided by 255, and the shape is [height,width,channels]. The class of an image is the folder at the top that it is
// in, however deep (see Unwrap for what is the top). Images are in the order of their paths. Names that begin with a dot or with __MACOSX are passed
// over.
func Open(dir string, o Options) (*datasets.Set, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is not a folder", dir)
	}
	return OpenFS(os.DirFS(dir), dir, o)
}

// OpenZip is Open for a .zip file.
func OpenZip(file string, o Options) (*datasets.Set, error) {
	z, err := zip.OpenReader(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	defer z.Close()
	return OpenFS(z, file, o)
}

// OpenFS is Open for a file system, which errors call name.
func OpenFS(f fs.FS, name string, o Options) (*datasets.Set, error) {
	if (o.Height == 0) != (o.Width == 0) || o.Height < 0 || o.Width < 0 || o.Height > 0 && o.Width > maxPixels/o.Height {
		return nil, fmt.Errorf("%s: images of %dx%d pixels: want both sizes or none, and at most %d pixels", name, o.Width, o.Height, maxPixels)
	}
	f, wrap, err := Unwrap(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	files, err := list(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s has no .png, .jpg or .jpeg files in folders named by class", name)
	}
	classes, err := classNames(files, o.Classes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var labels []int32
	r := &reader{o: o, files: len(files)}
	for _, p := range files {
		if err := r.add(f, p); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Join(name, filepath.FromSlash(wrap), filepath.FromSlash(p)), err)
		}
		labels = append(labels, int32(slices.Index(classes, top(p))))
	}
	return datasets.FromBytes(filepath.Base(name), []int{r.o.Height, r.o.Width, r.channels()}, r.pixels, 1.0/255, 0, labels, classes)
}

// list is the paths of the images, sorted.
func list(f fs.FS) ([]string, error) {
	var files []string
	err := fs.WalkDir(f, ".", func(p string, d fs.DirEntry, err error) error {
		switch base := path.Base(p); {
		case err != nil:
			return err
		case p != "." && hidden(base):
			if d.IsDir() {
				return fs.SkipDir
			}
		case !d.IsDir() && isImage(p) && (d.Type().IsRegular() || d.Type()&fs.ModeSymlink != 0):
			files = append(files, p)
		}
		return nil
	})
	slices.Sort(files)
	return files, err
}

func isImage(p string) bool {
	switch strings.ToLower(path.Ext(p)) {
	case ".png", ".jpg", ".jpeg":
		return true
	}
	return false
}

// top is the first element of a path with several.
func top(p string) string {
	first, _, _ := strings.Cut(p, "/")
	return first
}

// classNames are the classes of these files, or those given, which then must have each of them.
func classNames(files, given []string) ([]string, error) {
	var names []string
	for _, p := range files {
		if !strings.Contains(p, "/") {
			return nil, fmt.Errorf("%s is in no folder named by class", p)
		}
		if given != nil && !slices.Contains(given, top(p)) {
			return nil, fmt.Errorf("%s is of class %q, want one of %q", p, top(p), given)
		}
		names = append(names, top(p))
	}
	if given != nil {
		return given, nil
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
