#include "linked_list.h"

#include <gtest/gtest.h>

#include <vector>

namespace {

class LinkedList : public testing::Test {
  protected:
    LinkedList() { linked_list_init(&list_); }

    void fill() {
        for (linked_list_node_t* node : {&a_, &b_, &c_}) {
            ASSERT_EQ(linked_list_insert_node_at_rear(&list_, node), WICED_SUCCESS);
        }
    }

    void expect_order(const std::vector<linked_list_node_t*>& expected) {
        std::vector<linked_list_node_t*> forwards;
        std::vector<linked_list_node_t*> backwards;
        for (auto* node = list_.front; node != nullptr; node = node->next) {
            forwards.push_back(node);
        }
        for (auto* node = list_.rear; node != nullptr; node = node->prev) {
            backwards.insert(backwards.begin(), node);
        }
        EXPECT_EQ(forwards, expected);
        EXPECT_EQ(backwards, expected);
        EXPECT_EQ(list_.count, expected.size());
    }

    linked_list_t list_{};
    linked_list_node_t a_{};
    linked_list_node_t b_{};
    linked_list_node_t c_{};
    linked_list_node_t extra_{};
    linked_list_node_t* found_ = &extra_;
};

wiced_bool_t is_node(linked_list_node_t* node, void* wanted) {
    return node == wanted ? WICED_TRUE : WICED_FALSE;
}

TEST_F(LinkedList, NullListsAreBadArguments) {
    uint32_t count = 0;
    EXPECT_EQ(linked_list_init(nullptr), WICED_BADARG);
    EXPECT_EQ(linked_list_deinit(nullptr), WICED_BADARG);
    EXPECT_EQ(linked_list_get_count(nullptr, &count), WICED_BADARG);
    EXPECT_EQ(linked_list_insert_node_at_front(nullptr, &a_), WICED_BADARG);
    EXPECT_EQ(linked_list_insert_node_at_rear(&list_, nullptr), WICED_BADARG);
    EXPECT_EQ(linked_list_find_node(&list_, nullptr, nullptr, &found_), WICED_BADARG);
    EXPECT_EQ(linked_list_set_node_data(nullptr, nullptr), WICED_BADARG);
}

TEST_F(LinkedList, EachFunctionHasItsOwnAnswerToAnEmptyList) {
    uint32_t count = 7;
    EXPECT_EQ(linked_list_get_count(&list_, &count), WICED_SUCCESS);
    EXPECT_EQ(count, 0u);
    EXPECT_EQ(linked_list_get_front_node(&list_, &found_), WICED_NOT_FOUND);
    EXPECT_EQ(found_, nullptr);
    found_ = &extra_;
    EXPECT_EQ(linked_list_get_rear_node(&list_, &found_), WICED_NOT_FOUND);
    EXPECT_EQ(found_, nullptr);
    EXPECT_EQ(linked_list_find_node(&list_, is_node, &a_, &found_), WICED_BADARG);
    EXPECT_EQ(linked_list_insert_node_before(&list_, &a_, &b_), WICED_BADARG);
    EXPECT_EQ(linked_list_insert_node_after(&list_, &a_, &b_), WICED_BADARG);
    EXPECT_EQ(linked_list_remove_node(&list_, &a_), WICED_NOT_FOUND);
    EXPECT_EQ(linked_list_remove_node_from_front(&list_, &found_), WICED_BADARG);
    EXPECT_EQ(linked_list_remove_node_from_rear(&list_, &found_), WICED_NOT_FOUND);
    EXPECT_EQ(linked_list_deinit(&list_), WICED_SUCCESS);
}

TEST_F(LinkedList, NodesKeepTheirOrderAtBothEnds) {
    linked_list_insert_node_at_front(&list_, &b_);
    linked_list_insert_node_at_front(&list_, &a_);
    linked_list_insert_node_at_rear(&list_, &c_);
    expect_order({&a_, &b_, &c_});
}

TEST_F(LinkedList, NodesGoBeforeAndAfterAReference) {
    linked_list_insert_node_at_rear(&list_, &b_);
    EXPECT_EQ(linked_list_insert_node_before(&list_, &b_, &a_), WICED_SUCCESS);
    EXPECT_EQ(linked_list_insert_node_after(&list_, &b_, &c_), WICED_SUCCESS);
    expect_order({&a_, &b_, &c_});
    EXPECT_EQ(linked_list_insert_node_after(&list_, &a_, &extra_), WICED_SUCCESS);
    expect_order({&a_, &extra_, &b_, &c_});
}

TEST_F(LinkedList, FindGivesTheFirstMatchAndLeavesTheResultAloneWithoutOne) {
    fill();
    EXPECT_EQ(linked_list_find_node(&list_, is_node, &b_, &found_), WICED_SUCCESS);
    EXPECT_EQ(found_, &b_);
    EXPECT_EQ(linked_list_find_node(&list_, is_node, &extra_, &found_), WICED_NOT_FOUND);
    EXPECT_EQ(found_, &b_);
}

TEST_F(LinkedList, RemovingAnInnerNodeClosesTheGapAndClearsTheNode) {
    fill();
    EXPECT_EQ(linked_list_remove_node(&list_, &b_), WICED_SUCCESS);
    expect_order({&a_, &c_});
    EXPECT_EQ(b_.next, nullptr);
    EXPECT_EQ(b_.prev, nullptr);
    EXPECT_EQ(linked_list_remove_node(&list_, &b_), WICED_BADARG);
    expect_order({&a_, &c_});
}

TEST_F(LinkedList, RemovingFromTheEndsReturnsTheClearedNodes) {
    fill();
    EXPECT_EQ(linked_list_remove_node_from_front(&list_, &found_), WICED_SUCCESS);
    EXPECT_EQ(found_, &a_);
    EXPECT_EQ(a_.next, nullptr);
    EXPECT_EQ(linked_list_remove_node_from_rear(&list_, &found_), WICED_SUCCESS);
    EXPECT_EQ(found_, &c_);
    EXPECT_EQ(c_.prev, nullptr);
    expect_order({&b_});
}

TEST_F(LinkedList, WithOneNodeLeftAnyNodeEmptiesTheList) {
    linked_list_insert_node_at_rear(&list_, &a_);
    EXPECT_EQ(linked_list_remove_node(&list_, &extra_), WICED_SUCCESS);
    expect_order({});
}

TEST_F(LinkedList, DeinitDetachesEveryNode) {
    fill();
    EXPECT_EQ(linked_list_deinit(&list_), WICED_SUCCESS);
    expect_order({});
    for (const auto* node : {&a_, &b_, &c_}) {
        EXPECT_EQ(node->next, nullptr);
        EXPECT_EQ(node->prev, nullptr);
    }
}

TEST_F(LinkedList, NodesCarryData) {
    int value = 5;
    void* data = nullptr;
    EXPECT_EQ(linked_list_set_node_data(&a_, &value), WICED_SUCCESS);
    EXPECT_EQ(linked_list_get_node_data(&a_, &data), WICED_SUCCESS);
    EXPECT_EQ(data, &value);
}

}  // namespace
