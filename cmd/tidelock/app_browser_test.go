package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/tidelock/tidelock/internal/github/githubtest"
)

// A real browser obeys what the page's headers forbid, and follows GitHub's
// redirect back to this machine.
func TestAppCreateInARealBrowser(t *testing.T) {
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "headless-shell"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Skip("there is no Chromium on PATH: the App was not registered in a real browser")
	}
	gh := githubtest.New(t, githubtest.Options{})
	dir := t.TempDir()
	address, end := creating(t, "--github-url", gh.URL, "--org", "acme", "--public-url", "https://tidelock.example.com", "--dir", dir)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium's own does not work for root
	}
	alloc, stopAlloc := chromedp.NewExecAllocator(context.Background(), options...)
	defer stopAlloc()
	browser, stop := chromedp.NewContext(alloc)
	defer stop()
	ctx, cancel := context.WithTimeout(browser, patience)
	defer cancel()
	err := chromedp.Do(ctx,
		chromedp.Navigate(address),
		chromedp.Click("form button"),
		chromedp.WaitVisible("button[name=create]"),
		chromedp.Click("button[name=create]"),
		chromedp.WaitVisible("a[href$='/installations/new']"),
	)
	if err != nil {
		t.Fatal(err)
	}
	title, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.title`))
	if err != nil || title != "Tidelock acme is registered" {
		t.Errorf("the last page is titled %q, %v", title, err)
	}
	if out, err := end(); err != nil || !strings.Contains(out, "Registered the GitHub App Tidelock acme") {
		t.Errorf("%s, %v", out, err)
	}
	if key, err := os.ReadFile(filepath.Join(dir, "secrets", "github-app.pem")); err != nil || strings.TrimSpace(string(key)) != strings.TrimSpace(gh.AppKey()) {
		t.Errorf("the key is not the App's (%v)", err)
	}
}
