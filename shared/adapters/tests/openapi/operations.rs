//! The operations of the API: what they take and what they answer.

/// An operation.
pub struct Operation {
    pub id: &'static str,
    pub method: &'static str,
    pub path: &'static str,
    pub summary: &'static str,
    pub description: &'static str,
    /// What the token must hold; `None`: no token.
    pub scope: Option<&'static str>,
    pub parameters: &'static [&'static str],
    /// The schema of the body, if there is one.
    pub body: Option<&'static str>,
    pub answers: &'static [Answer],
    /// The codes of the problems, besides those of every operation.
    pub codes: &'static [&'static str],
}

/// An answer that is no problem.
pub struct Answer {
    pub status: u16,
    pub description: &'static str,
    /// A name of `components/schemas`: JSON, but for `Metrics`.
    pub schema: Option<&'static str>,
    /// Names of `components/headers`.
    pub headers: &'static [&'static str],
    /// Names of examples.
    pub examples: &'static [&'static str],
    /// Names of `components/links`.
    pub links: &'static [&'static str],
}

const NOTHING: Answer = Answer { status: 204, description: "", schema: None, headers: &[], examples: &[], links: &[] };
const ORDER: Answer = Answer {
    status: 200,
    description: "The order as it is now. Where nothing differs there is no new version.",
    schema: Some("Order"),
    headers: &["ETag"],
    examples: &[],
    links: ON_ORDER,
};
const ON_ORDER: &[&str] = &["get_order", "update_order", "update_shipping", "update_status", "delete_order"];

/// The codes of every operation.
pub const EVERYWHERE: &[&str] = &["request_refused", "throttled", "internal"];
/// The codes of every operation that needs a token.
pub const WITH_TOKEN: &[&str] =
    &["unauthenticated", "access_denied", "insufficient_scope", "quota_exceeded", "unavailable"];
/// The codes of every operation with a body.
pub const WITH_BODY: &[&str] = &["invalid_json", "body_too_large", "unsupported_media_type", "validation_failed"];

pub const ALL: [Operation; 13] = [
    Operation {
        id: "create_order",
        method: "post",
        path: "/orders",
        summary: "Place an order",
        description: "Prices the lines, reserves their stock and stores the order.\n\n\
            Send an `Idempotency-Key` and retry with the same key and body until there is an answer: the order is placed once. \
            A retry is answered with the order as it is now and `Idempotent-Replayed: true`.\n\n\
            While the customer or inventory service is unavailable the answer is 202 and the order is `pending`. \
            The service then confirms or cancels it by itself.",
        scope: Some("orders:write"),
        parameters: &["Idempotency-Key"],
        body: Some("CreateOrder"),
        answers: &[
            Answer {
                status: 201,
                description: "The order is placed: its lines are priced and their stock is reserved.",
                schema: Some("Order"),
                headers: &["ETag", "Location", "Idempotent-Replayed"],
                examples: &["confirmed_order"],
                links: ON_ORDER,
            },
            Answer {
                status: 202,
                description: "The order is accepted and waits for the customer or inventory service.",
                schema: Some("Order"),
                headers: &["ETag", "Location", "Retry-After", "Idempotent-Replayed"],
                examples: &["pending_order"],
                links: ON_ORDER,
            },
        ],
        codes: &[
            "invalid_idempotency_key",
            "other_customer",
            "out_of_stock",
            "order_deleted",
            "order_too_large",
            "unknown_customer",
            "unknown_product",
            "invalid_total",
            "reservation_refused",
            "idempotency_key_reused",
        ],
    },
    Operation {
        id: "create_batch",
        method: "post",
        path: "/orders/batch",
        summary: "Place several orders",
        description: "Places up to 50 orders, each as `POST /orders` would. There is one result for each, in the order of the request. \
            What becomes of one order changes nothing for the others.\n\n\
            Send an `Idempotency-Key` and retry with the same key and body until there is an answer: each order is placed once. \
            A retry finds the orders that were placed and tries the others again. \
            The key of a batch names no order of `POST /orders`.\n\n\
            The whole request is given as much time as a single order. While a partner is slow, orders that it had no time for \
            are `pending`, with the status 202.",
        scope: Some("orders:write"),
        parameters: &["Idempotency-Key"],
        body: Some("CreateBatch"),
        answers: &[Answer {
            status: 207,
            description: "The orders were tried. Each result has the status and the body that `POST /orders` would have answered with.",
            schema: Some("BatchResults"),
            headers: &[],
            examples: &["batch_results"],
            links: &[],
        }],
        codes: &["invalid_idempotency_key"],
    },
    Operation {
        id: "list_orders",
        method: "get",
        path: "/orders",
        summary: "List orders",
        description: "The newest orders come first. `status` and `customer_id` cannot be combined; each can be combined \
            with `created_after` and `created_before`. A list may trail the last writes by a moment.\n\n\
            A token that is confined to a customer lists that customer's orders, without `status`.",
        scope: Some("orders:read"),
        parameters: &["status", "customer_id", "created_after", "created_before", "limit", "cursor"],
        body: None,
        answers: &[Answer {
            status: 200,
            description: "A page of orders.",
            schema: Some("OrderPage"),
            headers: &["Link"],
            examples: &["page", "last_page"],
            links: &["get_first_order", "next_page"],
        }],
        codes: &["invalid_parameter", "unsupported_filter", "invalid_cursor", "other_customer"],
    },
    Operation {
        id: "get_order",
        method: "get",
        path: "/orders/{id}",
        summary: "Read an order",
        description: "Strongly consistent: it shows every change that was answered, unless the client prefers otherwise.",
        scope: Some("orders:read"),
        parameters: &["id", "If-None-Match", "Prefer"],
        body: None,
        answers: &[
            Answer {
                description: "The order.",
                headers: &["ETag", "Preference-Applied"],
                examples: &["confirmed_order", "shipped_order"],
                ..ORDER
            },
            Answer {
                status: 304,
                description: "The client has this version.",
                headers: &["ETag", "Preference-Applied"],
                ..NOTHING
            },
        ],
        codes: &["order_not_found"],
    },
    Operation {
        id: "update_order",
        method: "put",
        path: "/orders/{id}",
        summary: "Edit an order",
        description: "Replaces the fields that are given. A field that is absent stays as it is, `null` empties it.\n\n\
            New lines are accepted while the order is `pending` or `confirmed`. They are priced and reserved anew.",
        scope: Some("orders:write"),
        parameters: &["id", "If-Match"],
        body: Some("UpdateOrder"),
        answers: &[Answer { examples: &["edited_order"], ..ORDER }],
        codes: &[
            "invalid_if_match",
            "order_not_found",
            "precondition_failed",
            "conflict",
            "lines_closed",
            "out_of_stock",
            "reservation_unconfirmed",
            "order_too_large",
            "unknown_product",
            "invalid_total",
            "reservation_refused",
        ],
    },
    Operation {
        id: "delete_order",
        method: "delete",
        path: "/orders/{id}",
        summary: "Delete an order",
        description: "Releases the stock of the order. From then on the order is not found, and its idempotency key is answered with 410. \
            An order that is `shipped` cannot be deleted.",
        scope: Some("orders:write"),
        parameters: &["id", "If-Match"],
        body: None,
        answers: &[Answer { description: "The order is deleted.", ..NOTHING }],
        codes: &[
            "invalid_if_match",
            "confined_token",
            "order_not_found",
            "precondition_failed",
            "conflict",
            "order_shipped",
            "order_too_large",
        ],
    },
    Operation {
        id: "update_shipping",
        method: "put",
        path: "/orders/{id}/shipping",
        summary: "Set the shipping information",
        description: "Replaces the shipping information. An order that is `processing` becomes `shipped` by it.",
        scope: Some("orders:write"),
        parameters: &["id", "If-Match"],
        body: Some("UpdateShipping"),
        answers: &[Answer { examples: &["shipped_order"], ..ORDER }],
        codes: &[
            "invalid_if_match",
            "confined_token",
            "order_not_found",
            "precondition_failed",
            "conflict",
            "order_canceled",
            "reservation_unconfirmed",
            "order_too_large",
        ],
    },
    Operation {
        id: "update_status",
        method: "put",
        path: "/orders/{id}/status",
        summary: "Move an order to another status",
        description: "",
        scope: Some("orders:write"),
        parameters: &["id", "If-Match"],
        body: Some("UpdateStatus"),
        answers: &[Answer { examples: &["processing_order", "canceled_order"], ..ORDER }],
        codes: &[
            "invalid_if_match",
            "confined_token",
            "order_not_found",
            "precondition_failed",
            "conflict",
            "illegal_transition",
            "awaiting_confirmation",
            "reservation_unconfirmed",
            "order_too_large",
        ],
    },
    Operation {
        id: "get_report",
        method: "get",
        path: "/reports/orders",
        summary: "Read what orders amount to",
        description: "Adds up the orders that were created from `from` to `to`, in groups. An order is in one group, \
            but by `product` it is in one of each product. Deleted orders are in none. \
            Reports trail the orders by some seconds.",
        scope: Some("orders:read"),
        parameters: &["from", "to", "group_by"],
        body: None,
        answers: &[Answer {
            status: 200,
            description: "The report.",
            schema: Some("OrderReport"),
            headers: &[],
            examples: &["report"],
            links: &[],
        }],
        codes: &["invalid_parameter", "confined_token", "report_too_large"],
    },
    Operation {
        id: "create_export",
        method: "post",
        path: "/exports",
        summary: "Export orders to a file",
        description: "Writes the orders that match the filters to a file, the newest first, each as it is when it is written. \
            Orders that are placed meanwhile are not in it. `Location` tells how far it has come, and where the file is.\n\n\
            Send an `Idempotency-Key` and retry with the same key and body until there is an answer: there is one export. \
            After seven days the export is forgotten and its file deleted.\n\n\
            Ten exports of a storefront run at a time: another is 429 `too_many_exports`.",
        scope: Some("orders:read"),
        parameters: &["Idempotency-Key"],
        body: Some("CreateExport"),
        answers: &[Answer {
            status: 202,
            description: "The export is accepted. A retry is answered with the export as it is now, without a link.",
            schema: Some("Export"),
            headers: &["Location", "Retry-After", "Idempotent-Replayed"],
            examples: &["running_export"],
            links: &["get_export"],
        }],
        codes: &[
            "invalid_idempotency_key",
            "unsupported_filter",
            "confined_token",
            "idempotency_key_reused",
            "too_many_exports",
        ],
    },
    Operation {
        id: "get_export",
        method: "get",
        path: "/exports/{export_id}",
        summary: "Read how far an export has come",
        description: "Once it has `succeeded`, `download` has a link to the file. The link works for 15 minutes and needs no token; \
            ask again for another.",
        scope: Some("orders:read"),
        parameters: &["export_id"],
        body: None,
        answers: &[Answer {
            status: 200,
            description: "The export.",
            schema: Some("Export"),
            headers: &[],
            examples: &["running_export", "succeeded_export"],
            links: &[],
        }],
        codes: &["confined_token", "export_not_found"],
    },
    Operation {
        id: "get_health",
        method: "get",
        path: "/health",
        summary: "Read the state of the service",
        description: "Needs no token.",
        scope: None,
        parameters: &[],
        body: None,
        answers: &[Answer {
            status: 200,
            description: "The service answers.",
            schema: Some("Health"),
            headers: &[],
            examples: &["healthy"],
            links: &[],
        }],
        codes: &[],
    },
    Operation {
        id: "get_metrics",
        method: "get",
        path: "/metrics",
        summary: "Read the metrics",
        description: "What waits for a follow-up and for how long, over all storefronts, the partners' circuits, and how many orders of the storefront, of those created within 31 days, have which status.",
        scope: Some("orders:admin"),
        parameters: &[],
        body: None,
        answers: &[Answer {
            status: 200,
            description: "The metrics.",
            schema: Some("Metrics"),
            headers: &[],
            examples: &["metrics"],
            links: &[],
        }],
        codes: &["confined_token"],
    },
];
