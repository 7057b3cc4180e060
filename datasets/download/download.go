package download

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// ErrChecksum is in the chain of the error of a file that arrived whole and is not the one asked for.
var ErrChecksum = errors.New("wrong SHA-256 sum")

// Options may be left zero.
type Options struct {
	Dir      string                  // the cache folder; "": folder temper/downloads of os.UserCacheDir
	Client   *http.Client            // nil: http.DefaultClient
	Progress func(done, total int64) // called on Get's goroutine with bytes on disk and bytes in all, which is -1 while unknown
	MaxBytes int64                   // a larger file is refused; 0: 16 GiB
	Attempts int                     // tries in a row that bring no new byte before Get gives up; 0: 4
	Pause    time.Duration           // before a try that follows such a one, doubled each time; 0: half a second
}

// Get returns the path of the file at address (http or https) whose SHA-256 sum, in hexadecimal, is sum. A file that is in the cache is checked and
// not fetched again. The file is cached as Dir/sum/name, name being the last element of the address; it appears there whole or not at all. Who asks
// for a file that another goroutine or process is fetching into the same cache waits for that.
//
// Broken connections and the server's passing troubles (408, 429, 5xx) are tried again. After any other error, and when ctx ends, what has
// arrived is kept for the next Get. A file with another sum is deleted, and the error, which wraps ErrChecksum, says both sums.
func Get(ctx context.Context, address, sum string, o Options) (string, error) {
	d, err := newDownload(address, sum, o)
	if err != nil {
		return "", err
	}
	if err := d.run(ctx); err != nil {
		return "", fmt.Errorf("download %s: %w", d.url.Redacted(), err)
	}
	return d.path, nil
}

// download is one file on its way.
type download struct {
	Options
	url  *url.URL
	sum  string // lower-case hexadecimal
	path string // where the whole file goes
}

func newDownload(address, sum string, o Options) (*download, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("download: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("download %q: want an address that begins with https:// or http://", u.Redacted())
	}
	if b, err := hex.DecodeString(sum); err != nil || len(b) != sha256.Size {
		return nil, fmt.Errorf("download %s: SHA-256 sum %q: want %d hexadecimal digits", u.Redacted(), sum, 2*sha256.Size)
	}
	if o.Dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("download %s: no cache folder, name one: %w", u.Redacted(), err)
		}
		o.Dir = filepath.Join(cache, "temper", "downloads")
	}
	o.Client = cmp.Or(o.Client, http.DefaultClient)
	o.MaxBytes = cmp.Or(o.MaxBytes, 16<<30)
	o.Attempts = cmp.Or(o.Attempts, 4)
	o.Pause = cmp.Or(o.Pause, time.Second/2)
	u.Fragment, u.RawFragment = "", ""
	sum = strings.ToLower(sum)
	return &download{Options: o, url: u, sum: sum, path: filepath.Join(o.Dir, sum, fileName(u))}, nil
}

// fileName is the last element of the path of an address, in characters that every file system takes.
func fileName(u *url.URL) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r) {
			return r
		}
		return '_'
	}, path.Base(u.Path))
	if strings.Trim(name, "._") == "" {
		return "file"
	}
	if len(name) > 128 {
		return "file" + path.Ext(name[len(name)-16:])
	}
	return name
}

// part holds what has arrived, tag the ETag it arrived with.
func (d *download) part() string { return d.path + ".part" }
func (d *download) tag() string  { return d.path + ".part.etag" }

func (d *download) run(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := os.MkdirAll(filepath.Dir(d.path), 0o755); err != nil {
		return err
	}
	unlock, err := lock(ctx, d.path+".lock")
	if err != nil {
		return err
	}
	defer unlock()
	if got, err := fileSum(d.path); err == nil && got == d.sum {
		return nil
	}
	if err := d.fetchAll(ctx); err != nil {
		return err
	}
	got, err := fileSum(d.part())
	if err != nil {
		return err
	}
	if got != d.sum {
		return errors.Join(fmt.Errorf("%w: the file has %s, want %s; it was deleted", ErrChecksum, got, d.sum), d.forget())
	}
	if err := os.Rename(d.part(), d.path); err != nil {
		return err
	}
	return remove(d.tag())
}

// lock waits until no other goroutine or process holds the lock file. It is the system's lock, so that it does not outlive its process.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	type result struct {
		unlock func()
		err    error
	}
	locked := make(chan result, 1)
	go func() {
		unlock, err := lockedfile.MutexAt(path).Lock()
		locked <- result{unlock, err}
	}()
	select {
	case r := <-locked:
		return r.unlock, r.err
	case <-ctx.Done():
		go func() { // the lock may still come
			if r := <-locked; r.err == nil {
				r.unlock()
			}
		}()
		return nil, context.Cause(ctx)
	}
}

// fetchAll fetches until the file is whole. A try that brought more than ever before is followed by the next at once.
func (d *download) fetchAll(ctx context.Context) error {
	pause, idle, most := d.Pause, 0, d.arrived()
	for {
		err := d.fetch(ctx, d.arrived())
		if err == nil || !errors.Is(err, errRetry) {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if n := d.arrived(); n > most {
			pause, idle, most = d.Pause, 0, n
			continue
		}
		if idle++; idle >= d.Attempts {
			return fmt.Errorf("%w; given up after %d tries without a new byte", err, idle)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		pause *= 2
	}
}

// arrived is the number of bytes that an earlier try has left.
func (d *download) arrived() int64 {
	info, err := os.Stat(d.part())
	if err != nil {
		return 0
	}
	return info.Size()
}

// forget deletes what has arrived.
func (d *download) forget() error { return errors.Join(remove(d.part()), remove(d.tag())) }

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func fileSum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
