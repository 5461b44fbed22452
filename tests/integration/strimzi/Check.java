import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Version;
import io.strimzi.api.kafka.model.kafka.Kafka;
import io.strimzi.api.kafka.model.nodepool.KafkaNodePool;
import io.strimzi.api.kafka.model.topic.KafkaTopic;
import io.strimzi.api.kafka.model.user.KafkaUser;
import java.io.File;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Collection;
import java.util.Map;
import java.util.TreeSet;

/**
 * Reads YAML as Strimzi's operators do, and says what they would not understand: a field that the model does not know, a
 * value that it drops, a version that it is not of. One line a fault; silence is good.
 */
public class Check {
    static final Map<String, Class<?>> KINDS =
        Map.of("Kafka", Kafka.class, "KafkaNodePool", KafkaNodePool.class, "KafkaTopic", KafkaTopic.class, "KafkaUser", KafkaUser.class);
    static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());
    static final TreeSet<String> faults = new TreeSet<>();

    public static void main(String[] files) throws Exception {
        int read = 0;
        for (String file : files) {
            for (JsonNode node : YAML.readerFor(JsonNode.class).<JsonNode>readValues(new File(file)).readAll()) {
                check(node);
                read++;
            }
        }
        faults.forEach(System.out::println);
        System.out.println(read + " read");
    }

    static void check(JsonNode node) throws Exception {
        Class<?> kind = KINDS.get(node.path("kind").asText());
        String name = node.path("kind").asText() + "/" + node.path("metadata").path("name").asText();
        if (kind == null) {
            faults.add(name + ": no kind of the model");
            return;
        }
        String version = kind.getAnnotation(Group.class).value() + "/" + kind.getAnnotation(Version.class).value();
        if (!node.path("apiVersion").asText().equals(version)) {
            faults.add(name + ": the model is of " + version);
        }
        try {
            Object value = YAML.treeToValue(node, kind);
            unknown(value, name);
            dropped(node, YAML.valueToTree(value), name);
        } catch (Exception fault) {
            faults.add(name + ": " + fault.getMessage().lines().findFirst().orElse(""));
        }
    }

    /** What the model put aside, in all that a value holds. */
    static void unknown(Object value, String where) throws Exception {
        if (value instanceof Collection<?> many) {
            int at = 0;
            for (Object each : many) {
                unknown(each, where + "[" + at++ + "]");
            }
        }
        if (value == null || !value.getClass().getName().matches("io\\.(strimzi|fabric8)\\..*") || value instanceof Enum) {
            return;
        }
        for (Method method : value.getClass().getMethods()) {
            boolean getter = method.getName().startsWith("get") && method.getParameterCount() == 0 && !Modifier.isStatic(method.getModifiers());
            if (!getter || method.getName().equals("getClass")) {
                continue;
            }
            Object held = method.invoke(value);
            if (!method.getName().equals("getAdditionalProperties")) {
                unknown(held, where + "." + method.getName().substring(3));
            } else if (held != null && !((Map<?, ?>) held).isEmpty()) {
                faults.add(where + ": unknown " + ((Map<?, ?>) held).keySet());
            }
        }
    }

    /** What was written and is not there any more when the model writes it again. */
    static void dropped(JsonNode given, JsonNode kept, String where) {
        if (kept == null || kept.isNull() || given.isValueNode() && !given.asText().equals(kept.asText())) {
            faults.add(where + ": " + given + " is not understood");
        } else if (given.isArray()) {
            for (int at = 0; at < given.size(); at++) {
                dropped(given.get(at), kept.get(at), where + "[" + at + "]");
            }
        } else {
            given.properties().forEach(each -> dropped(each.getValue(), kept.get(each.getKey()), where + "." + each.getKey()));
        }
    }
}
