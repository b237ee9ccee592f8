package cost

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/shopspring/decimal"
)

// volumeAdvisers know disks that another kind takes the place of.
func volumeAdvisers() map[string]func(view) []alternative {
	return map[string]func(view) []alternative{
		"aws_ebs_volume": func(v view) []alternative { return ebs(v, "type", "size") },
		// Of instances and what they are made of: the blocks beside the machine.
		"aws_instance": beside("aws_instance"), "aws_launch_configuration": beside("aws_launch_configuration"),
		"aws_launch_template": beside("aws_launch_template"),
		"aws_db_instance":     beside("aws_db_instance"),
	}
}

// beside adds to what is known of a type's machine what is known of its disks.
func beside(typ string) func(view) []alternative {
	machine := machineAdvisers()[typ]
	return func(v view) []alternative {
		out := machine(v)
		switch typ {
		case "aws_db_instance":
			return append(out, rdsVolume(v)...)
		case "aws_launch_template":
			maps, _ := v.blocks("block_device_mappings")
			for i, m := range maps {
				if b, st := m.block("ebs"); st == known {
					out = append(out, ebs(b, "volume_type", "volume_size", "block_device_mappings", i, "ebs", 0)...)
				}
			}
			return out
		}
		for _, name := range []string{"root_block_device", "ebs_block_device"} {
			blocks, _ := v.blocks(name)
			for i, b := range blocks {
				out = append(out, ebs(b, "volume_type", "volume_size", name, i)...)
			}
		}
		return out
	}
}

// What the kinds of EBS volumes can do, as AWS documents it: gp2 has 3 IOPS for
// each GiB, 100 at least and 16,000 at most, and 128 MiB/s up to 170 GiB, else
// 250 at most; io1 has 256 KiB/s for each IOPS and 500 MiB/s at most up to 32,000 IOPS;
// gp3 has 3,000 IOPS and 125 MiB/s, and for money up to 16,000 and 1,000, of
// 500 IOPS a GiB and a quarter MiB/s for each IOPS.
const (
	gp3IOPS       = 3000
	gp3Throughput = 125
	gp3MaxIOPS    = 16000
)

// ebs knows what could stand in place of a volume without it becoming slower.
func ebs(v view, typeKey, sizeKey string, path ...any) []alternative {
	size, st := v.num(sizeKey)
	if st != known || !size.IsPositive() || !size.IsInteger() {
		return nil
	}
	at := func(key string) []any { return append(append([]any{}, path...), key) }
	number := func(d decimal.Decimal) json.Number { return json.Number(d.String()) }
	gp3 := func(iops, throughput decimal.Decimal) []set {
		return []set{{at(typeKey), "gp3"}, {at("iops"), number(iops)}, {at("throughput"), number(throughput)}}
	}
	switch v.plain(typeKey) {
	case "gp2":
		baseline := decimal.Min(decimal.Max(size.Mul(whole(3)), whole(100)), whole(gp3MaxIOPS))
		iops, throughput := decimal.Max(baseline, whole(gp3IOPS)), whole(250)
		why := fmt.Sprintf("So it has at least the %s IOPS and %s MiB/s that gp2 has at %s GiB, as AWS documents.", baseline, throughput, size)
		if size.LessThanOrEqual(whole(170)) {
			throughput = whole(gp3Throughput)
			why = fmt.Sprintf("It has %s IOPS where gp2 has %s at %s GiB, and 125 MiB/s where gp2 has 128 at most, as AWS documents.", iops, baseline, size)
		}
		return []alternative{{
			id: "aws.volume.gp3", text: "Make " + typeKey + " gp3 instead of gp2" + beyond(iops, throughput) + ".", sets: gp3(iops, throughput), why: why,
		}}
	case "io1":
		iops, st := v.num("iops")
		if st != known || !iops.IsPositive() {
			return nil
		}
		out := []alternative{{
			id: "aws.volume.io2", text: fmt.Sprintf("Make %s io2 instead of io1.", typeKey), sets: []set{{at(typeKey), "io2"}},
			why: "It has the same IOPS and is the more durable, as AWS documents.",
		}}
		throughput := decimal.Max(decimal.Min(iops.Div(whole(4)).Ceil(), whole(500)), whole(gp3Throughput))
		given := decimal.Max(iops, whole(gp3IOPS))
		if iops.LessThanOrEqual(whole(gp3MaxIOPS)) && given.LessThanOrEqual(decimal.Max(size.Mul(whole(500)), whole(gp3IOPS))) {
			out = append(out, alternative{
				id: "aws.volume.gp3", text: "Make " + typeKey + " gp3 instead of io1" + beyond(given, throughput) + ".", sets: gp3(given, throughput),
				why: "It has the same IOPS and MiB/s, as AWS documents, though it keeps them 99 % of the time where io1 does 99.9 %.",
			})
		}
		return out
	}
	return nil
}

// beyond says what must be set of a gp3 volume because it is more than what is
// part of it.
func beyond(iops, throughput decimal.Decimal) string {
	var parts []string
	if iops.GreaterThan(whole(gp3IOPS)) {
		parts = append(parts, "iops = "+iops.String())
	}
	if throughput.GreaterThan(whole(gp3Throughput)) {
		parts = append(parts, "throughput = "+throughput.String())
	}
	if len(parts) == 0 {
		return ""
	}
	return ", with " + strings.Join(parts, " and ")
}

// rdsVolume knows databases whose provisioned IOPS gp3 has anyway: from 400
// GiB on 12,000 and 500 MiB/s are part of it, below that 3,000 and 125 MiB/s,
// as AWS documents for MySQL, MariaDB and PostgreSQL.
func rdsVolume(v view) []alternative {
	engine := v.plain("engine")
	size, sizeState := v.num("allocated_storage")
	iops, iopsState := v.num("iops")
	if v.plain("storage_type") != "io1" || sizeState != known || iopsState != known || engine != "mysql" && engine != "mariadb" && engine != "postgres" {
		return nil
	}
	most := whole(500) // of 256 KiB/s for each, 125 MiB/s
	if size.GreaterThanOrEqual(whole(400)) {
		most = whole(12000)
	}
	if iops.GreaterThan(most) || size.LessThan(whole(20)) {
		return nil
	}
	return []alternative{{
		id: "aws.database.gp3", text: "Make storage_type gp3 instead of io1, and leave iops out.",
		sets: []set{{[]any{"storage_type"}, "gp3"}, {[]any{"iops"}, nil}},
		why:  fmt.Sprintf("What gp3 has at %s GiB without paying for IOPS is at least the %s IOPS and their MiB/s, as AWS documents, though it keeps them 99 %% of the time where io1 does 99.9 %%.", size, iops),
	}}
}
