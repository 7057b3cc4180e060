package optim

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// The environment of a test binary that TestKill starts: where to train, and at which step to say so.
const (
	killPath = "TEMPER_TEST_KILL_CHECKPOINT"
	killStep = "TEMPER_TEST_KILL_STEP"
)

func killFit(path string) Fit {
	fit := stripesFit(path)
	fit.Epochs, fit.Every = 6, 1
	return fit
}

// TestKill kills a training process in the middle of an epoch, wherever it is then, writing a checkpoint perhaps, and goes on from what it left:
// the final file has the bytes of a run that nobody killed.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	dir := t.TempDir()
	whole := filepath.Join(dir, "whole.temper")
	last := mustRun(t, killFit(whole), convNet(t), stripesData()).Steps
	for _, step := range []int{2, 15, 29} {
		path := filepath.Join(dir, fmt.Sprintf("killed%d.temper", step))
		kill(t, path, step)
		c := mustLoad(t, path)
		h, err := killFit(path).Resume(context.Background(), c, stripesData())
		if err != nil {
			t.Fatalf("killed at step %d: %v", step, err)
		}
		if h.Steps != last {
			t.Errorf("killed at step %d: %d steps in all, want %d", step, h.Steps, last)
		}
		sameFile(t, whole, path)
	}
}

// kill starts the process, waits until it has done that many steps, and kills it.
func kill(t *testing.T, path string, step int) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(self, "-test.run=^TestKilledProcess$", "-test.timeout=60s")
	child.Env = append(os.Environ(), killPath+"="+path, killStep+"="+strconv.Itoa(step))
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	line, readErr := bufio.NewReader(out).ReadString('\n')
	if err := child.Process.Kill(); err != nil { // SIGKILL
		t.Error(err)
	}
	if err := child.Wait(); err == nil || !strings.HasPrefix(line, "reached") {
		t.Fatalf("the process ended by itself: %v, %v, output %q", err, readErr, line)
	}
}

// TestKilledProcess is what TestKill starts. It never ends: it stops before the last step.
func TestKilledProcess(t *testing.T) {
	path := os.Getenv(killPath)
	if path == "" {
		t.Skip("run by TestKill")
	}
	at, err := strconv.Atoi(os.Getenv(killStep))
	if err != nil {
		t.Fatal(err)
	}
	mustRun(t, killFit(path), convNet(t), stripesData(), Hook{AfterStep: func(step int, _ float64) error {
		switch step {
		case at + 1: // the checkpoint of step at is written
			fmt.Println("reached")
		case 35:
			select {}
		}
		return nil
	}})
}
