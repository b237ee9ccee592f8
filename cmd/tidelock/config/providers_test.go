package config

import (
	"testing"
)

func TestProviderSettings(t *testing.T) {
	for url, wrong := range map[string]bool{
		"https://mirror.example.com/providers/": false, "https://10.0.0.1:8443/p": false,
		"http://mirror.example.com/": true, "mirror.example.com": true, "https://user:secret@mirror.example.com/": true, "https://mirror.example.com/?a=b": true,
	} {
		c := Config{}
		c.Terraform.Providers.NetworkMirror = url
		if got := checkNetworkMirror(&c); (got != "") != wrong {
			t.Errorf("%s: %q", url, got)
		}
	}
	for pattern, wrong := range map[string]bool{"registry.terraform.io/hashicorp/*": false, "*/*/*": false, "hashicorp/*": true, "*/hashicorp/*": true} {
		c := Config{}
		c.Terraform.Providers.Allow = []string{pattern}
		if got := checkProviderAllow(&c); (got != "") != wrong {
			t.Errorf("%s: %q", pattern, got)
		}
	}
}
