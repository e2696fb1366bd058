//! tolov-rabbitmq
