package temper

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/temper-ml/temper/datasets"
	"github.com/temper-ml/temper/datasets/download"
	"github.com/temper-ml/temper/datasets/open"
)

// OpenData returns the training and the test part of a data set by name, path or address (see package datasets/open), with a line of progress
// every few seconds of a download.
func OpenData(ctx context.Context, spec string, progress io.Writer) (train, test *datasets.Set, err error) {
	last := time.Now()
	return open.OpenContext(ctx, spec, download.Options{Progress: func(done, total int64) {
		if progress == nil || done < total && time.Since(last) < 3*time.Second {
			return
		}
		last = time.Now()
		if total < 0 {
			fmt.Fprintf(progress, "download  %.1f MB\n", float64(done)/1e6)
			return
		}
		fmt.Fprintf(progress, "download  %.1f of %.1f MB\n", float64(done)/1e6, float64(total)/1e6)
	}})
}
