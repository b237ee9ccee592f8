// Command picture takes the README's picture: it runs the demo, opens the page
// of its last pull request in a headless Chromium and unfolds the first plan,
// as a reader would.
//
//	go run ./internal/tools/picture docs/images/comment.png
//
// It needs chromium or google-chrome, and fonts that have emoji
// (fonts-noto-color-emoji on Debian).
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/chromedp/chromedp"
)

// The window's width in CSS pixels, such that the page has its second column,
// and how many real pixels each has: sharp on a dense display, not too heavy.
const (
	width = 1180
	scale = 1.5
)

// allowed is how long the whole may take, the demo's build included.
const allowed = 5 * time.Minute

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: picture FILE.png")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, allowed)
	defer cancel()
	if err := run(ctx, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, file string) (err error) {
	dir, err := os.MkdirTemp("", "picture-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	program := dir + "/tidelock"
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "./cmd/tidelock")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build tidelock: %w", err)
	}
	page, end, err := demo(ctx, program)
	if err != nil {
		return err
	}
	defer func() {
		if stopped := end(); err == nil {
			err = stopped
		}
	}()
	png, err := shoot(ctx, page)
	if err != nil {
		return fmt.Errorf("take a picture of %s: %w", page, err)
	}
	if err := os.WriteFile(file, png, 0o644); err != nil {
		return err
	}
	fmt.Printf("%s: %d kB\n", file, len(png)>>10)
	return nil
}

// openPull is the demo's line that names the pull request that stays open.
var openPull = regexp.MustCompile(`pull request #\d+, open +(http://\S+)`)

// demo runs the demo and returns, once its story has ended, the address of the
// open pull request's page. end ends it.
func demo(ctx context.Context, program string) (page string, end func() error, err error) {
	cmd := exec.CommandContext(ctx, program, "demo")
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	var told strings.Builder
	lines := bufio.NewScanner(io.TeeReader(out, &told))
	for page == "" && lines.Scan() {
		if m := openPull.FindStringSubmatch(lines.Text()); m != nil {
			page = m[1]
		}
	}
	if page == "" {
		return "", nil, errors.Join(fmt.Errorf("the demo ended without an open pull request:\n%s", told.String()), cmd.Wait())
	}
	rest := make(chan struct{})
	go func() { // so that it is never stuck on a full pipe
		defer close(rest)
		_, _ = io.Copy(io.Discard, out)
	}()
	return page, func() error {
		_ = cmd.Process.Signal(os.Interrupt)
		<-rest
		return cmd.Wait()
	}, nil
}

// shoot opens the page, unfolds the first section of Tidelock's comment and
// returns a picture of the comment as PNG.
func shoot(ctx context.Context, page string) ([]byte, error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.WindowSize(width, 1200), chromedp.Flag("disable-component-update", true),
		chromedp.DisableGPU) // where there is none, a picture of an element is never ready
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium refuses to sandbox for root
	}
	ctx, cancel := chromedp.NewExecAllocator(ctx, options...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	const (
		bubble = ".bubble.bot"
		plan   = bubble + " details"
	)
	err := chromedp.Do(ctx,
		chromedp.EmulateViewport(width, 1200, chromedp.EmulateScale(scale)),
		chromedp.Navigate(page),
		chromedp.Click(plan+" summary"),
		chromedp.WaitVisible(plan+"[open] pre"),
	)
	if err != nil {
		return nil, err
	}
	return chromedp.Run(ctx, chromedp.Screenshot(bubble))
}
