"""A protocol that a stock client brings as well, in one process with that client."""

import pytest
from google.protobuf import descriptor_pool
from tritonclient.grpc import model_config_pb2, service_pb2

from lipsol.proto.oip import inference_pb2
from lipsol.proto.private import POOL


def test_ours_and_the_stock_clients_messages_live_in_one_process():
    ours = inference_pb2.ModelInferRequest(model_name="grid-sentences", raw_input_contents=[b"\0\1"])
    ours.parameters["timeout"].int64_param = 5
    theirs = service_pb2.ModelInferRequest.FromString(ours.SerializeToString())
    assert inference_pb2.ModelInferRequest.FromString(theirs.SerializeToString()) == ours
    assert theirs.parameters["timeout"].int64_param == 5
    assert POOL.FindMessageTypeByName("inference.ModelInferRequest") is ours.DESCRIPTOR
    assert descriptor_pool.Default().FindMessageTypeByName("inference.ModelInferRequest") is theirs.DESCRIPTOR


def fields(message):
    """Every field of a message and of those inside it, as it is on the wire."""
    found = {field.name: (field.number, field.type, field.is_repeated) for field in message.fields}
    return found | {
        f"{nested.name}.{key}": how for nested in message.nested_types for key, how in fields(nested).items()
    }


MESSAGES = inference_pb2.DESCRIPTOR.message_types_by_name


@pytest.mark.parametrize("name", MESSAGES)
def test_every_field_has_the_stock_clients_name_number_and_type(name):
    theirs = service_pb2.DESCRIPTOR.message_types_by_name.get(name)
    theirs = theirs or model_config_pb2.DESCRIPTOR.message_types_by_name[name]
    assert fields(MESSAGES[name]).items() <= fields(theirs).items()


def test_the_datatypes_are_the_stock_clients():
    assert inference_pb2.DataType.items() == model_config_pb2.DataType.items()


def test_every_call_is_the_stock_clients():
    (ours,), (theirs,) = (each.DESCRIPTOR.services_by_name.values() for each in (inference_pb2, service_pb2))
    assert ours.full_name == theirs.full_name
    for call in ours.methods:
        other = theirs.methods_by_name[call.name]
        assert (call.client_streaming, call.server_streaming) == (other.client_streaming, other.server_streaming)
        assert call.input_type.full_name == other.input_type.full_name
        assert call.output_type.full_name == other.output_type.full_name
