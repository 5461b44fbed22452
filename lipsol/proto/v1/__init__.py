"""Package lipsol.v1: the schema and what protoc makes of it. Change the .proto files, then run `make proto`."""
