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

// drill does what an object's name asks for, so that failures can be
// rehearsed. A string attribute of the resource, a tag or a label that begins
// with one of these words is an order:
//
//	fail-create fail-update fail-delete fail-read   the operation fails
//	slow-create-300ms slow-update-… slow-delete-…   it takes that long first
//	hold-create-ANY hold-update-… hold-delete-…     it waits until a file
//	                                                release/hold-create-ANY is
//	                                                in the folder of objects
//
// A wait ends early, with an error, when Terraform asks the provider to stop.
func drill(ctx context.Context, operation string, rt resourceType, object tftypes.Value, dir string) error {
	for _, word := range words(object) {
		switch {
		case strings.HasPrefix(word, "fail-"+operation):
			return fmt.Errorf("%s %s: the stand-in provider was asked to fail by the name %q", operation, rt.name, word)
		case strings.HasPrefix(word, "slow-"+operation+"-"):
			d, err := time.ParseDuration(strings.TrimPrefix(word, "slow-"+operation+"-"))
			if err != nil {
				return fmt.Errorf("%s %s: %q names no duration: %w", operation, rt.name, word, err)
			}
			if err := wait(ctx, d); err != nil {
				return fmt.Errorf("%s %s: %w", operation, rt.name, err)
			}
		case strings.HasPrefix(word, "hold-"+operation+"-"):
			if dir == "" {
				return fmt.Errorf("%s %s: %q waits for a file, but no folder is set: give the provider standin_dir", operation, rt.name, word)
			}
			file := filepath.Join(dir, "release", filepath.Base(word))
			for {
				if _, err := os.Stat(file); err == nil {
					break
				}
				if err := wait(ctx, 10*time.Millisecond); err != nil {
					return fmt.Errorf("%s %s: %w", operation, rt.name, err)
				}
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
