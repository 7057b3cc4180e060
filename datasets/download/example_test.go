package download_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/temper-ml/temper/datasets/download"
)

func ExampleGet() {
	const text = "a data set"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }))
	defer server.Close()
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)

	sum := fmt.Sprintf("%x", sha256.Sum256([]byte(text)))
	path, err := download.Get(context.Background(), server.URL+"/digits.npz", sum, download.Options{Dir: dir})
	if err != nil {
		fmt.Println(err)
		return
	}
	data, err := os.ReadFile(path)
	fmt.Println(filepath.Base(path), string(data), err)
	// Output: digits.npz a data set <nil>
}
