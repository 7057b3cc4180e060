package download

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

func TestGetAndCache(t *testing.T) {
	data := someBytes(300_000)
	s, o := newSite(t, data), options(t)
	var last int64 = -1
	o.Progress = func(done, total int64) {
		if done < last || total != int64(len(data)) {
			t.Errorf("progress %d of %d after %d", done, total, last)
		}
		last = done
	}
	path := mustGet(t, s, data, o)
	if last != int64(len(data)) {
		t.Errorf("progress ended at %d of %d", last, len(data))
	}
	if filepath.Base(path) != "digits.npz" {
		t.Errorf("cached as %s", path)
	}
	mustGet(t, s, data, o)
	wantRanges(t, s, "")

	// A damaged file in the cache is fetched anew.
	if err := os.WriteFile(path, data[:1000], 0o644); err != nil {
		t.Fatal(err)
	}
	last = -1
	mustGet(t, s, data, o)
	wantRanges(t, s, "", "")
}

func TestEmptyFile(t *testing.T) { mustGet(t, newSite(t, nil), nil, options(t)) }

func TestBrokenConnectionResumes(t *testing.T) {
	data := someBytes(100_000)
	s := newSite(t, data)
	s.breakAt = []int{30_000, 20_000}
	mustGet(t, s, data, options(t))
	wantRanges(t, s, "", "bytes=30000-", "bytes=50000-")
	if got := s.asked[1].Get("If-Range"); got != s.etag {
		t.Errorf("If-Range %q, want %q", got, s.etag)
	}
}

func TestResumeWithoutETag(t *testing.T) {
	data := someBytes(100_000)
	for _, etag := range []string{"", `W/"weak"`} {
		s := newSite(t, data)
		s.etag, s.breakAt = etag, []int{30_000}
		mustGet(t, s, data, options(t))
		wantRanges(t, s, "", "bytes=30000-")
		if got := s.asked[1].Get("If-Range"); got != "" {
			t.Errorf("ETag %s: If-Range %q, want none", etag, got)
		}
	}
}

func TestServerIgnoresRange(t *testing.T) {
	data := someBytes(100_000)
	s := newSite(t, data)
	s.noRanges, s.breakAt = true, []int{30_000}
	mustGet(t, s, data, options(t))
	wantRanges(t, s, "", "bytes=30000-")
}

// TestNewVersion: what arrived of the old version must not become the beginning of the new one.
func TestNewVersion(t *testing.T) {
	old, data := someBytes(100_000), someBytes(90_000)
	s, o := newSite(t, old), options(t)
	s.breakAt = []int{30_000}
	s.instead = func(w http.ResponseWriter, r *http.Request, n int) bool {
		if n == 1 {
			s.data, s.etag = data, `"v2"`
		}
		return false
	}
	mustGet(t, s, data, o)
	wantRanges(t, s, "", "bytes=30000-")
}

func TestCancelKeepsPart(t *testing.T) {
	data := someBytes(400_000)
	s, o := newSite(t, data), options(t)
	ctx, cancel := context.WithCancel(t.Context())
	o.Progress = func(done, _ int64) {
		if done == 5000 {
			cancel()
		}
	}
	s.instead = func(w http.ResponseWriter, r *http.Request, n int) bool {
		if n > 0 {
			return false
		}
		w.Header().Set("ETag", s.etag)
		w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		w.Write(data[:5000])
		w.(http.Flusher).Flush()
		<-r.Context().Done() // the rest never comes
		return true
	}
	path, err := Get(ctx, s.URL+"/digits.npz", sumOf(data), o)
	if !errors.Is(err, context.Canceled) || path != "" {
		t.Fatalf("Get: %q, %v", path, err)
	}
	if left := filesIn(t, o.Dir); len(left) != 2 {
		t.Errorf("the cache holds %q, want the part and its ETag", left)
	}
	o.Progress = nil
	if _, err := Get(t.Context(), s.URL+"/digits.npz", sumOf(data), o); err != nil {
		t.Fatal(err)
	}
	wantRanges(t, s, "", "bytes=5000-")
}

func TestWrongSum(t *testing.T) {
	data, o := someBytes(5000), options(t)
	s := newSite(t, data)
	want := sumOf([]byte("another file"))
	path, err := Get(t.Context(), s.URL+"/digits.npz", want, o)
	if !errors.Is(err, ErrChecksum) || path != "" {
		t.Fatalf("Get: %q, %v", path, err)
	}
	for _, part := range []string{want, sumOf(data), s.URL} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %s", err, part)
		}
	}
	if left := filesIn(t, o.Dir); len(left) != 0 {
		t.Errorf("the cache holds %q", left)
	}
	wantRanges(t, s, "")
}

// TestPartIsWhole: the process died after the last byte and before the renaming; the server answers 416.
func TestPartIsWhole(t *testing.T) {
	data := someBytes(5000)
	s, o := newSite(t, data), options(t)
	putPart(t, s, o, data, data)
	mustGet(t, s, data, o)
	wantRanges(t, s, "bytes=5000-")
}

// TestPartTooLong: more is there than the server has.
func TestPartTooLong(t *testing.T) {
	data := someBytes(5000)
	s, o := newSite(t, data), options(t)
	putPart(t, s, o, data, someBytes(6000))
	mustGet(t, s, data, o)
	wantRanges(t, s, "bytes=6000-", "")
}

func putPart(t *testing.T, s *site, o Options, data, part []byte) {
	t.Helper()
	d, err := newDownload(s.URL+"/sets/digits.npz", sumOf(data), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(d.path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.part(), part, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestWrongContentRange(t *testing.T) {
	data := someBytes(5000)
	s, o := newSite(t, data), options(t)
	putPart(t, s, o, data, data[:2000])
	s.instead = func(w http.ResponseWriter, r *http.Request, n int) bool {
		if n == 0 {
			w.Header().Set("Content-Range", "bytes 1000-4999/5000")
			w.WriteHeader(http.StatusPartialContent)
			w.Write(data[1000:])
		}
		return n == 0
	}
	mustGet(t, s, data, o)
	wantRanges(t, s, "bytes=2000-", "")
}

func TestStatus(t *testing.T) {
	data := someBytes(5000)
	for _, c := range []struct {
		code, times, requests int
		ok                    bool
	}{
		{http.StatusNotFound, 1, 1, false},
		{http.StatusForbidden, 1, 1, false},
		{http.StatusServiceUnavailable, 2, 3, true},
		{http.StatusTooManyRequests, 3, 4, true},
		{http.StatusBadGateway, 100, 4, false},
	} {
		s := newSite(t, data)
		s.instead = func(w http.ResponseWriter, r *http.Request, n int) bool {
			if n < c.times {
				w.WriteHeader(c.code)
			}
			return n < c.times
		}
		_, err := Get(t.Context(), s.URL+"/digits.npz", sumOf(data), options(t))
		if (err == nil) != c.ok || len(s.ranges()) != c.requests {
			t.Errorf("%d: %d requests, want %d; %v", c.code, len(s.ranges()), c.requests, err)
		}
		if err != nil && !strings.Contains(err.Error(), fmt.Sprint(c.code)) {
			t.Errorf("%d: error %q does not say so", c.code, err)
		}
	}
}

// TestGivesUp: a server that always starts over and always breaks brings bytes with each try, and never the file.
func TestGivesUp(t *testing.T) {
	data := someBytes(5000)
	s, o := newSite(t, data), options(t)
	o.Attempts = 3
	s.noRanges = true
	for range 50 {
		s.breakAt = append(s.breakAt, 1000)
	}
	_, err := Get(t.Context(), s.URL+"/digits.npz", sumOf(data), o)
	if err == nil || !strings.Contains(err.Error(), "3 tries") || len(s.ranges()) != 4 {
		t.Errorf("%d requests, %v", len(s.ranges()), err)
	}
}

func TestTooLarge(t *testing.T) {
	data := someBytes(50_000)
	for _, chunked := range []bool{false, true} {
		s, o := newSite(t, data), options(t)
		o.MaxBytes = 10_000
		if chunked { // the server does not say how much will come
			s.instead = func(w http.ResponseWriter, r *http.Request, n int) bool {
				w.(http.Flusher).Flush()
				w.Write(data)
				return true
			}
		}
		if _, err := Get(t.Context(), s.URL+"/x.zip", sumOf(data), o); err == nil || !strings.Contains(err.Error(), "10000") {
			t.Errorf("chunked %v: %v", chunked, err)
		}
		if left := filesIn(t, o.Dir); len(left) != 0 {
			t.Errorf("chunked %v: the cache holds %q", chunked, left)
		}
	}
}

func TestRefused(t *testing.T) {
	sum := sumOf(nil)
	for _, c := range []struct{ address, sum, says string }{
		{"ftp://example.org/x.zip", sum, "https://"},
		{"x.zip", sum, "https://"},
		{"https:///x.zip", sum, "https://"},
		{"http://example.org/\x7f", sum, "invalid"},
		{"https://example.org/x.zip", "", "64 hexadecimal digits"},
		{"https://example.org/x.zip", sum[:62], "64 hexadecimal digits"},
		{"https://example.org/x.zip", strings.Repeat("g", 64), "64 hexadecimal digits"},
		{"https://me:secret@example.org/x.zip", "", "64 hexadecimal digits"},
	} {
		_, err := Get(t.Context(), c.address, c.sum, options(t))
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q, %q: %v", c.address, c.sum, err)
		}
	}
}

// TestName: a name from the network stays in its folder.
func TestName(t *testing.T) {
	for address, want := range map[string]string{
		"https://h/a/b.npz":       "b.npz",
		"https://h/a/b.npz?v=1":   "b.npz",
		"https://h":               "file",
		"https://h/":              "file",
		"https://h/..":            "file",
		"https://h/a/%2e%2e":      "file",
		"https://h/a%5Cb.zip":     "a_b.zip",
		"https://h/a%2Fb%00c.zip": "b_c.zip",
		"https://h/" + strings.Repeat("x", 300) + ".zip": "file.zip",
	} {
		d, err := newDownload(address, sumOf(nil), Options{Dir: "cache"})
		if err != nil {
			t.Fatal(err)
		}
		if got := filepath.Base(d.path); got != want || filepath.Dir(d.path) != filepath.Join("cache", sumOf(nil)) {
			t.Errorf("%s: %s, want %s", address, d.path, want)
		}
	}
}

// TestTogether: all who ask for the same file get it, and one fetches it.
func TestTogether(t *testing.T) {
	data := someBytes(200_000)
	s, o := newSite(t, data), options(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			path, err := Get(t.Context(), s.URL+"/digits.npz", sumOf(data), o)
			if err != nil {
				t.Error(err)
				return
			}
			if sum, err := fileSum(path); err != nil || sum != sumOf(data) {
				t.Errorf("sum %s, %v", sum, err)
			}
		})
	}
	wg.Wait()
	wantRanges(t, s, "")
}

// TestCancelWhileWaiting: another holds the file's lock.
func TestCancelWhileWaiting(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.lock")
	unlock, err := lock(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	// The lock that is no longer waited for comes later, and may bring its file back while the folder is being removed.
	t.Cleanup(func() {
		unlock()
		for os.RemoveAll(dir) != nil {
			runtime.Gosched()
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := lock(ctx, path); !errors.Is(err, context.Canceled) {
		t.Errorf("lock: %v", err)
	}
}

// TestCancelledBefore: nothing is asked, nothing is left.
func TestCancelledBefore(t *testing.T) {
	s, o := newSite(t, []byte("x")), options(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Get(ctx, s.URL+"/x.zip", sumOf([]byte("x")), o); !errors.Is(err, context.Canceled) {
		t.Errorf("Get: %v", err)
	}
	if entries, err := os.ReadDir(o.Dir); err != nil || len(entries) != 0 {
		t.Errorf("left %v, %v", entries, err)
	}
	wantRanges(t, s)
}
