package cost

import "strings"

func awsEBSSnapshot(s *side) {
	size, st := s.num("volume_size")
	if st != known || size.IsZero() {
		id, _ := s.str("volume_id")
		volume, _, ok := s.join(id, []string{"id"}, []string{"aws_ebs_volume"}, "volume_id")
		if ok {
			size, st = volume.num("size")
		}
	}
	if st == known && size.IsPositive() {
		s.assume("a snapshot as large as its volume, which is the most it can be")
		s.charge("Snapshot", size.String()+" GB", "ebs", "snapshot", size)
	} else {
		s.byUse("storage")
	}
	for _, m := range []meter{
		{key: "monthly_list_block_requests", name: "Requests to list blocks", service: "ebs", sku: "snapshot-list"},
		{key: "monthly_get_block_requests", name: "Requests to get blocks", service: "ebs", sku: "snapshot-get"},
		{key: "monthly_put_block_requests", name: "Requests to put blocks", service: "ebs", sku: "snapshot-put"},
		{key: "fast_snapshot_restore_hours", name: "Fast snapshot restore", service: "ebs", sku: "fast-snapshot-restore"},
	} {
		if q, ok := s.amount(m.key); ok {
			s.used(m, q)
		}
	}
}

func awsEFS(s *side) {
	class := "standard"
	if _, st := s.str("availability_zone_name"); st != absent {
		if st == known || s.x.configured(s, "availability_zone_name") {
			class = "one-zone"
		}
	}
	stored, _ := s.amount("storage_gb")
	if s.is("throughput_mode", "provisioned") {
		if n, ok := s.needNum(s.view, "provisioned_throughput_in_mibps"); ok {
			// Every 20 GB stored bring 1 MB/s with them.
			n = n.Sub(stored.Div(whole(20)))
			if n.IsPositive() {
				s.charge("Throughput", "beyond what comes with the storage", "efs", "throughput", n)
			}
		}
	}
	s.meters(
		meter{key: "storage_gb", name: "Storage", service: "efs", sku: class},
		meter{key: "infrequent_access_storage_gb", name: "Storage, infrequent access", service: "efs", sku: class + "-ia"},
		meter{key: "monthly_infrequent_access_read_gb", name: "Reads, infrequent access", service: "efs", sku: "ia-read"},
		meter{key: "monthly_infrequent_access_write_gb", name: "Writes, infrequent access", service: "efs", sku: "ia-write"},
	)
}

// awsFSx bills a managed file system of one of the four kinds.
func awsFSx(kind string) pricer {
	service := "fsx-" + kind
	return func(s *side) {
		deployment, st := s.str("deployment_type")
		if st == unknown {
			s.notKnown("deployment_type")
			return
		}
		if st == absent {
			deployment = map[string]string{"windows": "SINGLE_AZ_1", "lustre": "SCRATCH_1"}[kind]
			s.assume(deployment + " deployment")
		}
		typ, st := s.str("storage_type")
		if st != known {
			typ = "SSD"
		}
		where := strings.ToLower(deployment)
		if kind == "windows" {
			where = "single-az"
			if strings.HasPrefix(deployment, "MULTI_AZ") {
				where = "multi-az"
			}
		}
		medium := strings.ToLower(typ)
		if size, ok := s.needNum(s.view, "storage_capacity"); ok {
			sku := medium + "/" + where
			if kind == "lustre" {
				if per, st := s.num("per_unit_storage_throughput"); st == known {
					sku += "/" + per.String()
				}
			}
			s.charge("Storage", typ+", "+size.String()+" GB, "+deployment, service, sku, size)
		}
		if kind != "lustre" {
			if n, st := s.num("throughput_capacity"); st == known {
				s.charge("Throughput", n.String()+" MB/s, "+deployment, service, "throughput/"+where, n)
			} else if st == unknown || kind != "ontap" {
				s.notKnown("throughput_capacity")
			}
		}
		s.meters(meter{key: "backup_storage_gb", name: "Backups", service: service, sku: "backup"})
	}
}

func awsTransferServer(s *side) {
	n, st := s.length("protocols")
	if st == unknown {
		s.notKnown("protocols")
		return
	}
	if st == absent || n == 0 {
		n = 1
		s.assume("one protocol, SFTP")
	}
	s.charge("Protocols", "each endpoint protocol", "transfer", "protocol", whole(n))
	s.meters(
		meter{key: "monthly_data_uploaded_gb", name: "Data uploaded", service: "transfer", sku: "upload"},
		meter{key: "monthly_data_downloaded_gb", name: "Data downloaded", service: "transfer", sku: "download"},
	)
}
