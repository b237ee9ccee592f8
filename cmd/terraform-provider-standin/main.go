package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
)

// magicCookie is the variable that Terraform sets for the plugins it starts;
// without it somebody has started the program by hand.
const magicCookie = "TF_PLUGIN_MAGIC_COOKIE"

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "terraform-provider-standin:", err)
		os.Exit(1)
	}
}

func serve() error {
	family, err := familyOf(os.Args[0])
	if err != nil {
		return err
	}
	if os.Getenv(magicCookie) == "" {
		fmt.Printf("This is Tidelock's stand-in for the Terraform provider %q. It knows %d resource types and touches no cloud.\nTerraform starts it; there is nothing to do with it by hand.\n",
			family.name, len(family.resources()))
		return nil
	}
	return providerserver.Serve(context.Background(),
		func() provider.Provider { return newProvider(family) },
		providerserver.ServeOpts{
			Address: "registry.terraform.io/hashicorp/" + family.name,
			// Protocol 5, as the real three speak it.
			ProtocolVersion: 5,
		})
}

// familyOf tells from the path of the executable which provider it is.
func familyOf(executable string) (*family, error) {
	base := strings.TrimSuffix(filepath.Base(executable), ".exe")
	name, ok := strings.CutPrefix(base, "terraform-provider-")
	name, _, _ = strings.Cut(name, "_")
	if ok {
		for _, f := range families {
			if f.name == name {
				return f, nil
			}
		}
	}
	return nil, fmt.Errorf("%s: the file name decides which provider this is: terraform-provider-aws, -azurerm or -google, with _v and a version after it", base)
}
