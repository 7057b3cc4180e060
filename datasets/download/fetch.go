package download

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

// errRetry marks an error after which another try may do better.
var errRetry = errors.New("try again")

type retryError struct{ error }

func (e retryError) Is(target error) bool { return target == errRetry }
func (e retryError) Unwrap() error        { return e.error }

// fetch asks for what is missing after the first from bytes and appends it. nil says that the server has nothing more.
func (d *download) fetch(ctx context.Context, from int64) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url.String(), nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept-Encoding", "identity") // the bytes that have the sum
	if from > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
		if tag, err := os.ReadFile(d.tag()); err == nil {
			req.Header.Set("If-Range", string(tag))
		}
	}
	resp, err := d.Client.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return retryError{err}
	}
	defer resp.Body.Close()
	switch code := resp.StatusCode; {
	case code == http.StatusOK:
		return d.restart(resp)
	case code == http.StatusPartialContent && from > 0:
		first, total := contentRange(resp.Header)
		if first != from {
			return d.startOver(fmt.Errorf("asked for bytes from %d on, the server sent Content-Range %q", from, resp.Header.Get("Content-Range")))
		}
		return d.receive(resp.Body, from, total)
	case code == http.StatusRequestedRangeNotSatisfiable && from > 0:
		if _, total := contentRange(resp.Header); total == from {
			return nil // it was all there, only the renaming was missing
		}
		return d.startOver(fmt.Errorf("the server has fewer than the %d bytes that were here", from))
	case code == http.StatusRequestTimeout, code == http.StatusTooManyRequests, code >= 500:
		return retryError{fmt.Errorf("the server answers %s", resp.Status)}
	default:
		return fmt.Errorf("the server answers %s", resp.Status)
	}
}

// startOver forgets what has arrived, so that the next try asks for the whole file.
func (d *download) startOver(why error) error {
	if err := d.forget(); err != nil {
		return err
	}
	return retryError{why}
}

// restart takes the whole file, from a server that ignores Range or has another version than the one begun.
func (d *download) restart(resp *http.Response) error {
	if err := d.forget(); err != nil {
		return err
	}
	// A weak ETag does not promise equal bytes, so that If-Range does not take it (RFC 9110, 13.1.5).
	if tag := resp.Header.Get("ETag"); strings.HasPrefix(tag, `"`) {
		if err := os.WriteFile(d.tag(), []byte(tag), 0o644); err != nil {
			return err
		}
	}
	return d.receive(resp.Body, 0, resp.ContentLength)
}

// receive writes body to the partial file from byte from on. total is the size of the whole file, -1 when the server does not say.
func (d *download) receive(body io.Reader, from, total int64) error {
	if total > d.MaxBytes {
		return errors.Join(fmt.Errorf("the file has %d bytes, the limit is %d", total, d.MaxBytes), d.forget())
	}
	f, err := os.OpenFile(d.part(), os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	done, err := d.copy(f, body, from, total)
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err != nil {
		return err
	}
	if done < total {
		return retryError{fmt.Errorf("the connection ended after %d of %d bytes", done, total)}
	}
	return nil
}

// copy writes what comes behind the done bytes that are there.
func (d *download) copy(f *os.File, body io.Reader, done, total int64) (int64, error) {
	d.report(done, total)
	buf := make([]byte, 1<<17)
	for {
		n, err := body.Read(buf)
		if done+int64(n) > d.MaxBytes {
			return done, errors.Join(fmt.Errorf("the file has more than %d bytes, the limit", d.MaxBytes), d.forget())
		}
		if n > 0 {
			if _, err := f.WriteAt(buf[:n], done); err != nil {
				return done, err
			}
			done += int64(n)
			d.report(done, total)
		}
		if err == io.EOF {
			return done, nil
		}
		if err != nil {
			return done, retryError{fmt.Errorf("after %d bytes: %w", done, err)}
		}
	}
}

func (d *download) report(done, total int64) {
	if d.Progress != nil {
		d.Progress(done, total)
	}
}

// contentRange reads "bytes 5-9/10" as 5, 10 and "bytes */10" as -1, 10; what it does not know is -1.
func contentRange(h http.Header) (first, total int64) {
	first, total = -1, -1
	text := h.Get("Content-Range")
	var last int64
	if n, _ := fmt.Sscanf(text, "bytes %d-%d/%d", &first, &last, &total); n >= 2 {
		if n == 2 {
			total = -1
		}
		return first, total
	}
	first = -1
	if n, _ := fmt.Sscanf(text, "bytes */%d", &total); n != 1 {
		total = -1
	}
	return first, total
}
