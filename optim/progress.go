package optim

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// bar shows the progress of an epoch: a bar on a terminal, a line every ten seconds elsewhere.
type bar struct {
	w     io.Writer
	label string
	total int
	seen  int
	first int // seen when the bar began
	begin time.Time
	last  time.Time
	pb    *progressbar.ProgressBar
}

const lineEvery = 10 * time.Second

func newBar(w io.Writer, label string, total, seen int) *bar {
	b := &bar{w: w, label: label, total: total, seen: seen, first: seen, begin: time.Now(), last: time.Now()}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		b.pb = progressbar.NewOptions(total, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(label), progressbar.OptionShowIts(),
			progressbar.OptionSetItsString("img"), progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(24))
		_ = b.pb.Set(seen)
	}
	return b
}

func (b *bar) add(n int, loss, accuracy float64, classifier bool) {
	if b.w == nil {
		return
	}
	b.seen += n
	text := fmt.Sprintf("loss %.4f", loss)
	if classifier {
		text += fmt.Sprintf(" accuracy %.2f %%", 100*accuracy)
	}
	if b.pb != nil {
		b.pb.Describe(b.label + "  " + text)
		_ = b.pb.Add(n)
		return
	}
	if time.Since(b.last) < lineEvery {
		return
	}
	b.last = time.Now()
	rate := float64(b.seen-b.first) / time.Since(b.begin).Seconds()
	left := time.Duration(float64(b.total-b.seen) / rate * float64(time.Second)).Round(time.Second)
	fmt.Fprintf(b.w, "%s  %d/%d  %.0f img/s  %s  %s left\n", b.label, b.seen, b.total, rate, text, left)
}

func (b *bar) done() {
	if b.pb != nil {
		_ = b.pb.Finish()
		b.pb = nil
	}
}

// report prints the line of a finished epoch.
func report(w io.Writer, label string, e EpochStats, epochs int, classifier bool) {
	if w == nil {
		return
	}
	fmt.Fprintf(w, "%s %d/%d  loss %.4f", label, e.Epoch, epochs, e.Loss)
	if classifier {
		fmt.Fprintf(w, "  accuracy %.2f %%", 100*e.Accuracy)
	}
	for _, name := range slices.Sorted(maps.Keys(e.Validation)) {
		fmt.Fprintf(w, "  validation %s %.4f", name, e.Validation[name])
	}
	fmt.Fprintf(w, "  %.0f img/s  %.1f s\n", e.ExamplesPerSeconds, e.Seconds)
}
