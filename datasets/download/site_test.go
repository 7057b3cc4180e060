package download

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// site serves one file, and remembers what it was asked.
type site struct {
	*httptest.Server
	mu       sync.Mutex
	asked    []http.Header
	data     []byte
	etag     string
	breakAt  []int                                                    // for each request in turn: the body's bytes after which the connection breaks; 0: none
	instead  func(w http.ResponseWriter, r *http.Request, n int) bool // answers request n by itself
	noRanges bool
}

func newSite(t *testing.T, data []byte) *site {
	s := &site{data: data, etag: `"v1"`}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	n := len(s.asked)
	s.asked = append(s.asked, r.Header.Clone())
	s.mu.Unlock()
	if s.instead != nil && s.instead(w, r, n) {
		return
	}
	if n < len(s.breakAt) && s.breakAt[n] > 0 {
		w = &breaking{w, s.breakAt[n]}
	}
	if s.etag != "" {
		w.Header().Set("ETag", s.etag)
	}
	if s.noRanges {
		w.Header().Set("Content-Length", fmt.Sprint(len(s.data)))
		w.Write(s.data)
		return
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(s.data))
}

// breaking closes the connection after left bytes of the body.
type breaking struct {
	http.ResponseWriter
	left int
}

func (b *breaking) Write(p []byte) (int, error) {
	n, err := b.ResponseWriter.Write(p[:min(len(p), b.left)])
	if b.left -= n; b.left == 0 {
		b.ResponseWriter.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, err
}

// ranges are the Range headers that the site was sent.
func (s *site) ranges() (r []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.asked {
		r = append(r, h.Get("Range"))
	}
	return r
}

func someBytes(n int) []byte {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	return data
}

func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func options(t *testing.T) Options { return Options{Dir: t.TempDir(), Pause: 1} }

// mustGet gets data and checks that nothing but the file is left in the cache.
func mustGet(t *testing.T, s *site, data []byte, o Options) string {
	t.Helper()
	path, err := Get(t.Context(), s.URL+"/sets/digits.npz", sumOf(data), o)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, data) {
		t.Fatalf("%d bytes that differ from the %d served, %v", len(got), len(data), err)
	}
	if left := filesIn(t, o.Dir); len(left) != 1 {
		t.Errorf("the cache holds %q", left)
	}
	return path
}

func filesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(p) != ".lock" {
			names = append(names, filepath.Base(p))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func wantRanges(t *testing.T, s *site, want ...string) {
	t.Helper()
	if got := s.ranges(); strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("asked for ranges %q, want %q", got, want)
	}
}
