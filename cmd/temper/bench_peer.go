package main

import (
	"embed"
	"fmt"
	"os"
	"path/filepath"

	"github.com/temper-ml/temper/internal/atomicfile"
)

// peerFiles are the scripts of the other side.
//
//go:embed peer/*.py peer/requirements.txt
var peerFiles embed.FS

// missingPackage begins what peer.py says when a package of requirements.txt is not there.
const missingPackage = "missing package"

// writePeer writes the scripts and requirements.txt to a folder, which it makes.
func writePeer(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("folder of the peer's files: %w", err)
	}
	entries, err := peerFiles.ReadDir("peer")
	if err != nil {
		return err
	}
	for _, e := range entries {
		content, err := peerFiles.ReadFile("peer/" + e.Name())
		if err != nil {
			return err
		}
		if err := atomicfile.WriteBytes(filepath.Join(dir, e.Name()), content); err != nil {
			return err
		}
	}
	return nil
}

// howToInstall tells how to make a Python for --peer.
func howToInstall(dir string) string {
	return fmt.Sprintf(`make an environment with them,
  temper bench --peer-files %[1]s
  python3 -m venv %[1]s/venv && %[1]s/venv/bin/pip install -r %[1]s/requirements.txt
and give --peer %[1]s/venv/bin/python`, dir)
}
