"""The object store beside the local runtime.

| file | knows |
|---|---|
| `object_store` | which one it is: the one named, or one that is started |
| `s3_server` | MinIO and SeaweedFS: found, started, stopped |
| `child` | a program that ends when we do |
"""
