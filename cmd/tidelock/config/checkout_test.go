package config

import "testing"

func TestHostsOfSubmodules(t *testing.T) {
	check := hosts(func(c *Config) []string { return c.Checkout.SubmoduleHosts })
	for host, good := range map[string]bool{
		"gitlab.com": true, "git.example.com:8443": true,
		"": false, "https://gitlab.com": false, "gitlab.com/acme": false, "user@gitlab.com": false, "git lab": false, "gitlab.com?x": false, ":443": false,
	} {
		if says := check(&Config{Checkout: Checkout{SubmoduleHosts: []string{host}}}); (says == "") != good {
			t.Errorf("%q: %q", host, says)
		}
	}
}
