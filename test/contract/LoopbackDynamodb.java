import software.amazon.dynamodb.services.local.main.ServerRunner;
import software.amazon.dynamodb.services.local.server.DynamoDBProxyServer;
import java.lang.reflect.Field;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

/** DynamoDB Local on 127.0.0.1: its own command line has no option for the interface and takes all of them. */
public final class LoopbackDynamodb {
  public static void main(String[] args) throws Exception {
    DynamoDBProxyServer proxy = ServerRunner.createServerFromCommandLineArgs(args);
    for (Field field : DynamoDBProxyServer.class.getDeclaredFields()) {
      field.setAccessible(true);
      if (!(field.get(proxy) instanceof Server server)) continue;
      for (Connector connector : server.getConnectors()) {
        if (connector instanceof ServerConnector tcp) tcp.setHost("127.0.0.1");
      }
      proxy.start();
      return;
    }
    throw new IllegalStateException("this DynamoDB Local is built otherwise: its server was not found");
  }
}
