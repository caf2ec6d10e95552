"""How RabbitMQ is talked to. Helper of the rabbitmq engine: nothing else imports it."""
