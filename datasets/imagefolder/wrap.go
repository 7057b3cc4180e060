package imagefolder

import (
	"io/fs"
	"path"
	"strings"
)

// Unwrap goes down into the folder that an archive's contents are often wrapped in: the only one, with nothing but folders beside files that are no
// images in it. It also returns the path of that folder, "." when there is none.
func Unwrap(f fs.FS) (fs.FS, string, error) {
	at := "."
	for {
		dirs, images, err := entries(f, at)
		if err != nil {
			return nil, "", err
		}
		if len(dirs) != 1 || images {
			break
		}
		next := path.Join(at, dirs[0])
		inner, images, err := entries(f, next)
		if err != nil {
			return nil, "", err
		}
		if len(inner) == 0 || images { // a class
			break
		}
		at = next
	}
	sub, err := fs.Sub(f, at)
	return sub, at, err
}

// entries lists the folders in a folder, and says whether it has images.
func entries(f fs.FS, dir string) (dirs []string, images bool, err error) {
	all, err := fs.ReadDir(f, dir)
	for _, e := range all {
		switch {
		case hidden(e.Name()):
		case e.IsDir():
			dirs = append(dirs, e.Name())
		default:
			images = images || isImage(e.Name())
		}
	}
	return dirs, images, err
}

// hidden says whether a name is one of those that file managers leave behind.
func hidden(base string) bool {
	return strings.HasPrefix(base, ".") || strings.HasPrefix(base, "__MACOSX")
}
