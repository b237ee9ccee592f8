package toolchain

import (
	"context"
	_ "embed" // the module that pins OpenTofu
	"os"
	"os/exec"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
)

// OpenTofuVersion is the OpenTofu that is built when there is none.
const OpenTofuVersion = "1.12.6"

// To move OpenTofu to another version: write both into an empty folder as
// go.mod and go.sum, "go get -tool github.com/opentofu/opentofu/cmd/tofu@vX",
// look whether OpenTofu's own go.mod has other replace or godebug lines by
// then, copy both back and change OpenTofuVersion.
var (
	//go:embed opentofu/tofu.mod
	tofuMod []byte
	//go:embed opentofu/tofu.sum
	tofuSum []byte
)

var tofu = Program{
	Title: "OpenTofu", Name: "tofu", Version: OpenTofuVersion,
	Package: "github.com/opentofu/opentofu/cmd/tofu",
	// version.dev=no is what makes it a release: else it calls itself 1.12.6-dev.
	Ldflags: "-s -w -X github.com/opentofu/opentofu/version.dev=no",
	Mod:     tofuMod, Sum: tofuSum,
	Takes: "It takes 3 to 5 minutes on two cores, 2 GB of memory and, in Go's own caches, about 3 GB of disk.",
	Else:  "install Terraform or OpenTofu",
	Runs: func(ctx context.Context, path string) error {
		_, err := find(ctx, path)
		return err
	},
}

func findGo() (string, error) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		return "", errs.Wrap(errs.Unavailable, err, "Go is not on PATH. It is needed to build what is missing: see https://go.dev/doc/install.")
	}
	return goTool, nil
}

// goEnv is the caller's environment, which says where proxy and caches are,
// without what would change the meaning of a build.
func goEnv() []string {
	var env []string
	for _, kv := range os.Environ() {
		switch name, _, _ := strings.Cut(kv, "="); name {
		case "GOFLAGS", "GOWORK", "GOOS", "GOARCH", "CGO_ENABLED", "GOEXPERIMENT", "GO111MODULE":
		default:
			env = append(env, kv)
		}
	}
	return append(env, "GOFLAGS=-mod=readonly", "GOWORK=off", "CGO_ENABLED=0")
}
