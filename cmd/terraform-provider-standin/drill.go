package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// drill rehearses failures: a string attribute of the resource, a tag or a
// label that begins with one of these words is an order.
//
//	fail-create fail-update fail-delete fail-read   the operation fails and
//	                                                has no effect
//	slow-create-300ms slow-update-… slow-delete-…   it takes that long first
//	hold-create-ANY hold-update-… hold-delete-…     it has its effect, and is
//	                                                not reported done until the
//	                                                folder of objects holds a
//	                                                file release/hold-create-ANY
//
// A wait ends early, with an error, when Terraform asks the provider to stop.
type drill struct {
	operation string // create, read, update or delete
	object    tftypes.Value
	dir       string // the folder of objects, may be empty
}

// before is called before the operation has its effect.
func (d drill) before(ctx context.Context) error {
	for _, word := range words(d.object) {
		if strings.HasPrefix(word, "fail-"+d.operation) {
			return fmt.Errorf("the stand-in provider was asked to fail by the name %q", word)
		}
		if length, ok := strings.CutPrefix(word, "slow-"+d.operation+"-"); ok {
			wanted, err := time.ParseDuration(length)
			if err != nil {
				return fmt.Errorf("%q names no duration: %w", word, err)
			}
			if err := wait(ctx, wanted); err != nil {
				return err
			}
		}
	}
	return nil
}

// after is called when the operation has had its effect.
func (d drill) after(ctx context.Context) error {
	for _, word := range words(d.object) {
		if !strings.HasPrefix(word, "hold-"+d.operation+"-") {
			continue
		}
		if d.dir == "" {
			return fmt.Errorf("%q waits for a file, but there is no folder of objects: give the provider standin_dir", word)
		}
		file := filepath.Join(d.dir, "release", filepath.Base(word))
		for {
			if _, err := os.Stat(file); err == nil {
				break
			}
			if err := wait(ctx, 10*time.Millisecond); err != nil {
				return err
			}
		}
	}
	return nil
}

// words are an object's strings, and those in its maps.
func words(object tftypes.Value) []string {
	var out []string
	for _, v := range attrsOf(object) {
		if v.Type().Is(tftypes.Map{}) {
			for _, e := range attrsOf(v) {
				out = append(out, stringOf(e))
			}
		}
		if s := stringOf(v); s != "" {
			out = append(out, s)
		}
	}
	return out
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stopped: %w", context.Cause(ctx))
	}
}
