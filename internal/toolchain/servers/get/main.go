// Command get gets the real servers that tests speak with where they find them,
// and says plainly what it found, what it built and what it left out. It is what
// "make servers" runs; running it again costs nothing. Named as arguments, it
// gets those alone: get vault versitygw azurite-blob.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/toolchain"
	"github.com/tidelock/tidelock/internal/toolchain/servers"
)

func main() {
	cache := flag.String("cache", "", "folder to keep what is built (default $"+toolchain.CacheVariable+", else tidelock in the user's cache folder)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := get(ctx, toolchain.Options{Cache: *cache, Progress: os.Stderr}, flag.Args())
	stop()
	os.Exit(code)
}

// get goes on where one can't be had: the others are of use without it. What
// can't run here at all, for want of Node.js, is no failure.
func get(ctx context.Context, o toolchain.Options, only []string) (code int) {
	for _, name := range only {
		if !slices.ContainsFunc(servers.All(), func(s servers.Server) bool { return s.Command == name }) {
			fmt.Fprintf(os.Stderr, "servers: there is none called %q\n", name)
			return 2
		}
	}
	for _, s := range servers.All() {
		if len(only) > 0 && !slices.Contains(only, s.Command) {
			continue
		}
		path, err := s.Get(ctx, o)
		switch {
		case err == nil:
			fmt.Printf("%-10s %s\n", s.Title, path)
		case errs.Is(err, errs.NotFound):
			fmt.Printf("%-10s skipped: %s\n", s.Title, errs.Sentence(err))
		default:
			fmt.Fprintf(os.Stderr, "\nservers: %s\n", errs.Explain(err))
			code = 1
		}
	}
	return code
}
